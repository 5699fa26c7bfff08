/* NUCLEO-F446RE: 180 MHz with overdrive; APB1 45 MHz, APB2 90 MHz. */
#ifndef PORT_CONFIG_H
#define PORT_CONFIG_H

#define PORT_CORE "cortex-m4"
#define PORT_CLOCK_HZ 180000000U
#define PORT_TIMER_HZ 90000000U /* twice the divided APB1 clock (RM0390, RCC) */

#define PORT_HSE_MHZ 8U
#define PORT_FLASH_ACR ((7U << 8) | 5U) /* PRFTEN, ICEN, DCEN, 5 wait states (RM0390, FLASH wait states) */
#define PORT_RCC_AHB1ENR (1U << 0)      /* GPIOAEN */
#define PORT_RCC_APB1ENR (1U << 17)     /* USART2EN */

/* USART2 on the debug probe's serial port */
#define PORT_UART_BASE 0x40004400U
#define PORT_UART_CLOCK_HZ 45000000U
#define PORT_UART_BAUD 115200U
#define PORT_UART_TX_PORT 0x40020000U /* GPIOA */
#define PORT_UART_TX_PIN 2U
#define PORT_UART_RX_PORT 0x40020000U
#define PORT_UART_RX_PIN 3U
#define PORT_UART_FUNCTION 7U

#endif
