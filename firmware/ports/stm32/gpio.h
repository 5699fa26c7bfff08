/* Pins (reference manuals, "General-purpose I/Os"): the same registers in every family. */
#ifndef STM32_GPIO_H
#define STM32_GPIO_H

#include "stm32.h"

#define GPIO_MODER 0x00U
#define GPIO_OSPEEDR 0x08U
#define GPIO_PUPDR 0x0CU
#define GPIO_AFRL 0x20U /* pins 0-7; AFRH, pins 8-15, is 4 bytes on */

enum { MODER_ALTERNATE = 2, OSPEEDR_MEDIUM = 1, PUPDR_UP = 1 };

/* Gives a pin to a peripheral, pulled up so that an open line rests. */
static inline void stm32_pin_alternate(uintptr_t port, uint32_t pin, uint32_t function)
{
    uint32_t two = 2U * pin;
    uint32_t four = 4U * (pin % 8U);
    stm32_change(port + GPIO_AFRL + 4U * (pin / 8U), 0xFU << four, function << four);
    stm32_change(port + GPIO_PUPDR, 3U << two, (uint32_t)PUPDR_UP << two);
    stm32_change(port + GPIO_OSPEEDR, 3U << two, (uint32_t)OSPEEDR_MEDIUM << two);
    stm32_change(port + GPIO_MODER, 3U << two, (uint32_t)MODER_ALTERNATE << two);
}

#endif
