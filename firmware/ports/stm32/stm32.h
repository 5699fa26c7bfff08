/* What the STM32 ports share. A board's facts are in its port_config.h; ports/README.md names them. */
#ifndef STM32_H
#define STM32_H

#include <stdint.h>

#include "cortexm.h"
#include "port_config.h"

/* Clocks at full speed, flash wait states, and the clocks of PORT_* peripherals; the family's clock.c. */
void stm32_clocks_up(void);

/* Instruction and data cache; cache.c, Cortex-M7 only. */
void stm32_caches_up(void);

/* Cycle counter and its slow companion; ticks.c. */
void stm32_ticks_up(void);

/* Clears `clear`, sets `set`. */
static inline void stm32_change(uintptr_t address, uint32_t clear, uint32_t set)
{
    CORTEXM_REGISTER(address) = (CORTEXM_REGISTER(address) & ~clear) | set;
}

/* Waits until the bits of `mask` read `value`. */
static inline void stm32_await(uintptr_t address, uint32_t mask, uint32_t value)
{
    while ((CORTEXM_REGISTER(address) & mask) != value) {
    }
}

/* Waits for any bit of `mask`, for some milliseconds at the slow clock after reset; whether one came. */
static inline int stm32_came(uintptr_t address, uint32_t mask)
{
    for (uint32_t i = 0; i < 20000U; i++) {
        if ((CORTEXM_REGISTER(address) & mask) != 0U) {
            return 1;
        }
    }
    return 0;
}

#endif
