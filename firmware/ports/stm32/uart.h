/* The byte stream on a USART, polled. uart.c has what every USART needs, uart_status.c and uart_isr.c the registers of
 * the two kinds there are. */
#ifndef STM32_UART_H
#define STM32_UART_H

#include <stdbool.h>
#include <stdint.h>

enum { STM32_UART_FRAMING = 1, STM32_UART_NOISE = 2, STM32_UART_OVERRUN = 4, STM32_UART_BYTE = 8 };

/* Turns it on at a rate; it is off or idle before. */
void stm32_uart_start(uint32_t baud);

/* One byte, if there is one: any of STM32_UART_*. Errors are told once. */
uint32_t stm32_uart_take(uint8_t *byte);

/* Waits for room, then sends. */
void stm32_uart_put(uint8_t byte);

/* Waits until the last bit is on the line. */
void stm32_uart_drain(void);

#endif
