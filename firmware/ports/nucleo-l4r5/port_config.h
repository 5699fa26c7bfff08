/* NUCLEO-L4R5ZI: 120 MHz in range 1 boost, all buses undivided. */
#ifndef PORT_CONFIG_H
#define PORT_CONFIG_H

#define PORT_CORE "cortex-m4"
#define PORT_CLOCK_HZ 120000000U
#define PORT_TIMER_HZ 120000000U

#define PORT_PWR_BOOST
#define PORT_PWR_IOSV
#define PORT_FLASH_LATENCY 5U      /* range 1 boost (RM0432, FLASH wait states) */
#define PORT_RCC_AHB2ENR (1U << 6) /* GPIOGEN */
#define PORT_RCC_APB1ENR1 0U
#define PORT_RCC_APB1ENR2 (1U << 0) /* LPUART1EN */

/* LPUART1 on the debug probe's serial port */
#define PORT_UART_IS_LPUART
#define PORT_UART_HAS_FIFO
#define PORT_UART_BASE 0x40008000U
#define PORT_UART_CLOCK_HZ 120000000U
#define PORT_UART_BAUD 115200U
#define PORT_UART_TX_PORT 0x48001800U /* GPIOG */
#define PORT_UART_TX_PIN 7U
#define PORT_UART_RX_PORT 0x48001800U
#define PORT_UART_RX_PIN 8U
#define PORT_UART_FUNCTION 8U

#endif
