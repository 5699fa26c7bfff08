/* NUCLEO-H743ZI: 400 MHz at voltage scale 1, which every silicon revision reaches; buses 200 and 100 MHz. */
#ifndef PORT_CONFIG_H
#define PORT_CONFIG_H

#define PORT_CORE "cortex-m7"
#define PORT_CLOCK_HZ 400000000U
#define PORT_TIMER_HZ 200000000U /* twice the divided APB1 clock (RM0433, RCC) */
#define PORT_HAS_CACHES

#define PORT_HSE_MHZ 8U
#define PORT_PWR_CR3_SUPPLY (1U << 1) /* LDOEN: the only regulator (RM0433, PWR_CR3) */
#define PORT_FLASH_ACR ((2U << 4) | 2U) /* WRHIGHFREQ 2, 2 wait states: 200 MHz at VOS1 (RM0433, FLASH wait states) */
#define PORT_RCC_HPRE 8U                /* AXI and AHB at half the core clock */
#define PORT_RCC_AHB4ENR 0x0E0U
#define PORT_RCC_APB1LENR 0x0E8U

/* USART3 on the debug probe's serial port */
#define PORT_UART_BASE 0x40004800U
#define PORT_UART_CLOCK_HZ 100000000U
#define PORT_UART_HAS_FIFO
#define PORT_UART_BAUD 115200U
#define PORT_UART_TX_PORT 0x58020C00U /* GPIOD */
#define PORT_UART_TX_PIN 8U
#define PORT_UART_RX_PORT 0x58020C00U
#define PORT_UART_RX_PIN 9U
#define PORT_UART_FUNCTION 7U

#endif
