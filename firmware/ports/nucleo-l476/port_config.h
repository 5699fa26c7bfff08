/* NUCLEO-L476RG: 80 MHz, all buses undivided. */
#ifndef PORT_CONFIG_H
#define PORT_CONFIG_H

#define PORT_CORE "cortex-m4"
#define PORT_CLOCK_HZ 80000000U
#define PORT_TIMER_HZ 80000000U

#define PORT_FLASH_LATENCY 4U        /* range 1 (RM0351, FLASH wait states) */
#define PORT_RCC_AHB2ENR (1U << 0)   /* GPIOAEN */
#define PORT_RCC_APB1ENR1 (1U << 17) /* USART2EN */
#define PORT_RCC_APB1ENR2 0U

/* USART2 on the debug probe's serial port */
#define PORT_UART_BASE 0x40004400U
#define PORT_UART_CLOCK_HZ 80000000U
#define PORT_UART_BAUD 115200U
#define PORT_UART_TX_PORT 0x48000000U /* GPIOA */
#define PORT_UART_TX_PIN 2U
#define PORT_UART_RX_PORT 0x48000000U
#define PORT_UART_RX_PIN 3U
#define PORT_UART_FUNCTION 7U

#endif
