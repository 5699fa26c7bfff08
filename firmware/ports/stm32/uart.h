/* The byte stream on a USART, polled. uart.c has what every USART needs, uart_status.c and uart_isr.c the registers of
 * the two kinds there are. */
#ifndef STM32_UART_H
#define STM32_UART_H

#include <stdbool.h>
#include <stdint.h>

#include "stm32.h"

#define STM32_UART_BAUD_MIN 9600U

/* The limit of waits for the transmitter: twice the time in which the most that it can hold, 16 characters in a FIFO
 * and one on its way, of 10 bits each, leaves at the lowest rate. */
#define STM32_UART_POLLS (PORT_CLOCK_HZ / STM32_UART_BAUD_MIN * (2U * 17U * 10U / STM32_CYCLES_A_POLL))

enum { STM32_UART_FRAMING = 1, STM32_UART_NOISE = 2, STM32_UART_OVERRUN = 4, STM32_UART_BYTE = 8 };

/* Turns it on at a rate; it is off or idle before. */
void stm32_uart_start(uint32_t baud);

/* One byte, if there is one: any of STM32_UART_*. Errors are told once. */
uint32_t stm32_uart_take(uint8_t *byte);

/* Waits until all bits of `mask` are set, or stops at a stage. */
__attribute__((noinline, unused)) static void stm32_uart_await(uintptr_t address, uint32_t mask, uint32_t stage)
{
    if (!stm32_came(address, mask, mask, STM32_UART_POLLS)) {
        cortexm_boot_stop(stage);
    }
}

/* Waits for room, then sends. */
void stm32_uart_put(uint8_t byte);

/* Waits until the last bit is on the line. */
void stm32_uart_drain(void);

#endif
