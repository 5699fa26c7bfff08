/* BBC micro:bit, as QEMU has it: nRF51822, Cortex-M0, whose instructions are those of the Cortex-M0+. */
#ifndef PORT_CONFIG_H
#define PORT_CONFIG_H

#define PORT_CORE "cortex-m0plus"
#define PORT_CLOCK_HZ 16000000U
#define PORT_TICK_HZ 16000000U
#define PORT_TICK_UNIT HIL_TICK_EMULATED

#define PORT_UART_BASE 0x40002000U
#define PORT_UART_BAUD 115200U
#define PORT_UART_TX_PIN 24U
#define PORT_UART_RX_PIN 25U
/* The emulator's line is a socket, full while the host does not read. */
#define NRF_UART_POLLS NRF_NO_LIMIT

#endif
