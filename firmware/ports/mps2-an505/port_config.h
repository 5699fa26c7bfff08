/* Arm MPS2 board with AN505: Cortex-M33, as QEMU has it. */
#ifndef PORT_CONFIG_H
#define PORT_CONFIG_H

#define PORT_CORE "cortex-m33"
#define PORT_CLOCK_HZ 20000000U
#define PORT_TICK_HZ 20000000U
#define PORT_UART_BASE 0x50200000U
#define PORT_UART_RX_IRQ 32U
#define PORT_FPGAIO_BASE 0x50302000U

#endif
