/* The core's cycle counter (DWT CYCCNT, Armv7-M Architecture Reference Manual C1.8). */
#ifndef CYCLE_COUNTER_H
#define CYCLE_COUNTER_H

#include <stdbool.h>

#include "cortexm.h"
#include "hil_port.h"

#define DEMCR CORTEXM_REGISTER(0xE000EDFCU)
#define DEMCR_TRCENA (1U << 24)
#define DWT_CTRL CORTEXM_REGISTER(0xE0001000U)
#define DWT_CTRL_NOCYCCNT (1U << 25)
#define DWT_CTRL_CYCCNTENA (1U << 0)
#define DWT_CYCCNT CORTEXM_REGISTER(0xE0001004U)
#define DWT_LAR CORTEXM_REGISTER(0xE0001FB0U)
#define LAR_KEY 0xC5ACCE55U

#define TEST_INSTRUCTIONS 1024U

/* Cycles of a loop of known length: at least one for two instructions, the most a Cortex-M7 can do, and not many more. */
static inline bool cycle_counter_works(void)
{
    for (uint32_t round = 0; round < 4U; round++) {
        uint32_t start = DWT_CYCCNT;
        uint32_t instructions = hil_port_known_loop(TEST_INSTRUCTIONS);
        uint32_t cycles = DWT_CYCCNT - start;
        if (cycles < instructions / 2U || cycles > instructions * 64U) {
            return false;
        }
    }
    return true;
}

/* Turns it on; false where there is none, or it does not count. */
static inline bool cycle_counter_up(void)
{
    DEMCR |= DEMCR_TRCENA;
    DWT_LAR = LAR_KEY; /* the Cortex-M7 locks its counter; elsewhere nothing is there */
    DWT_CYCCNT = 0;
    DWT_CTRL |= DWT_CTRL_CYCCNTENA;
    __asm__ volatile("dsb\nisb" ::: "memory");
    return (DWT_CTRL & DWT_CTRL_NOCYCCNT) == 0U && cycle_counter_works();
}

#endif
