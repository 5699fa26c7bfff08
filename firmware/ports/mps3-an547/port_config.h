/* Arm MPS3 board with AN547: Cortex-M55, as QEMU has it. */
#ifndef PORT_CONFIG_H
#define PORT_CONFIG_H

#define PORT_CORE "cortex-m55"
#define PORT_CLOCK_HZ 32000000U
#define PORT_TICK_HZ 20000000U
#define PORT_UART_BASE 0x59303000U
#define PORT_UART_RX_IRQ 33U
#define PORT_FPGAIO_BASE 0x59302000U

#endif
