/* NUCLEO-U575ZI-Q: 160 MHz in range 1 with the booster, from HSI16, all buses undivided; TrustZone is turned off. */
#ifndef PORT_CONFIG_H
#define PORT_CONFIG_H

#define PORT_CORE "cortex-m33"
#define PORT_CLOCK_HZ 160000000U
#define PORT_TIMER_HZ 160000000U
#define PORT_HAS_CACHES

#define PORT_FLASH_LATENCY 4U       /* range 1, up to 160 MHz (RM0456, FLASH wait states) */
#define PORT_RCC_AHB2ENR1 (1U << 0) /* GPIOAEN */
#define PORT_RCC_APB1ENR1 0U
#define PORT_RCC_APB2ENR (1U << 14) /* USART1EN */

/* USART1 on the debug probe's serial port */
#define PORT_UART_HAS_FIFO
#define PORT_UART_BASE 0x40013800U
#define PORT_UART_CLOCK_HZ 160000000U
#define PORT_UART_BAUD 115200U
#define PORT_UART_TX_PORT 0x42020000U /* GPIOA */
#define PORT_UART_TX_PIN 9U
#define PORT_UART_RX_PORT 0x42020000U
#define PORT_UART_RX_PIN 10U
#define PORT_UART_FUNCTION 7U

#endif
