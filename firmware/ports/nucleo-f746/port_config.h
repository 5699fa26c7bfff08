/* NUCLEO-F746ZG: 216 MHz with overdrive; APB1 54 MHz, APB2 108 MHz. */
#ifndef PORT_CONFIG_H
#define PORT_CONFIG_H

#define PORT_CORE "cortex-m7"
#define PORT_CLOCK_HZ 216000000U
#define PORT_TIMER_HZ 108000000U /* twice the divided APB1 clock (RM0385, RCC) */
#define PORT_HAS_CACHES

#define PORT_HSE_MHZ 8U
/* PRFTEN, 7 wait states (RM0385, FLASH wait states); code runs over AXI, where the ART accelerator has no say */
#define PORT_FLASH_ACR ((1U << 8) | 7U)
#define PORT_RCC_AHB1ENR (1U << 3)      /* GPIODEN */
#define PORT_RCC_APB1ENR (1U << 18)     /* USART3EN */

/* USART3 on the debug probe's serial port */
#define PORT_UART_BASE 0x40004800U
#define PORT_UART_CLOCK_HZ 54000000U
#define PORT_UART_BAUD 115200U
#define PORT_UART_TX_PORT 0x40020C00U /* GPIOD */
#define PORT_UART_TX_PIN 8U
#define PORT_UART_RX_PORT 0x40020C00U
#define PORT_UART_RX_PIN 9U
#define PORT_UART_FUNCTION 7U

#endif
