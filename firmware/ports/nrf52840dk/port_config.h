/* nRF52840 DK (PCA10056): 64 MHz. */
#ifndef PORT_CONFIG_H
#define PORT_CONFIG_H

#define PORT_CORE "cortex-m4"
#define PORT_CLOCK_HZ 64000000U
#define PORT_TICK_HZ 64000000U
#define PORT_TICK_UNIT HIL_TICK_CYCLES

/* UART0 on the debug probe's first serial port */
#define PORT_UART_BASE 0x40002000U
#define PORT_UART_BAUD 115200U
#define PORT_UART_TX_PIN 6U
#define PORT_UART_RX_PIN 8U

#endif
