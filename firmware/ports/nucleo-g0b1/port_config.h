/* NUCLEO-G0B1RE: 64 MHz from HSI16, all buses undivided. */
#ifndef PORT_CONFIG_H
#define PORT_CONFIG_H

#define PORT_CORE "cortex-m0plus"
#define PORT_CLOCK_HZ 64000000U
#define PORT_TIMER_HZ 64000000U

#define PORT_FLASH_LATENCY 2U       /* range 1, up to 64 MHz (RM0444, FLASH wait states) */
#define PORT_RCC_IOPENR (1U << 0)   /* GPIOAEN */
#define PORT_RCC_APBENR1 (1U << 17) /* USART2EN */

/* USART2 on the debug probe's serial port */
#define PORT_UART_HAS_FIFO
#define PORT_UART_BASE 0x40004400U
#define PORT_UART_CLOCK_HZ 64000000U
#define PORT_UART_BAUD 115200U
#define PORT_UART_TX_PORT 0x50000000U /* GPIOA */
#define PORT_UART_TX_PIN 2U
#define PORT_UART_RX_PORT 0x50000000U
#define PORT_UART_RX_PIN 3U
#define PORT_UART_FUNCTION 1U

#endif
