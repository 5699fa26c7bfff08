/* Arm MPS2 board with AN385: Cortex-M3, as QEMU has it. */
#ifndef PORT_CONFIG_H
#define PORT_CONFIG_H

#define PORT_CORE "cortex-m3"
#define PORT_CLOCK_HZ 25000000U
#define PORT_TICK_HZ 25000000U
#define PORT_UART_BASE 0x40004000U
#define PORT_UART_RX_IRQ 0U
#define PORT_FPGAIO_BASE 0x40028000U

#endif
