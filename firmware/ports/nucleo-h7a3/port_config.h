/* NUCLEO-H7A3ZI-Q: 280 MHz at voltage scale 0; buses 280 and 140 MHz. */
#ifndef PORT_CONFIG_H
#define PORT_CONFIG_H

#define PORT_CORE "cortex-m7"
#define PORT_CLOCK_HZ 280000000U
#define PORT_TIMER_HZ 280000000U /* twice the divided APB1 clock (RM0455, RCC) */
#define PORT_HAS_CACHES

#define PORT_HSE_MHZ 8U
#define PORT_PWR_CR3_SUPPLY (1U << 2) /* SMPSEN: the board is wired for the step-down converter (RM0455, PWR_CR3) */
#define PORT_FLASH_ACR ((3U << 4) | 6U) /* WRHIGHFREQ 3, 6 wait states: 280 MHz at VOS0 (RM0455, FLASH wait states) */
#define PORT_RCC_HPRE 0U                /* AXI and AHB at the core clock */
#define PORT_RCC_AHB4ENR 0x140U
#define PORT_RCC_APB1LENR 0x148U

/* USART3 on the debug probe's serial port */
#define PORT_UART_BASE 0x40004800U
#define PORT_UART_CLOCK_HZ 140000000U
#define PORT_UART_HAS_FIFO
#define PORT_UART_BAUD 115200U
#define PORT_UART_TX_PORT 0x58020C00U /* GPIOD */
#define PORT_UART_TX_PIN 8U
#define PORT_UART_RX_PORT 0x58020C00U
#define PORT_UART_RX_PIN 9U
#define PORT_UART_FUNCTION 7U

#endif
