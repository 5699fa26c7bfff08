/* What the STM32 ports share. A board's facts are in its port_config.h; ports/README.md names them. */
#ifndef STM32_H
#define STM32_H

#include <stdbool.h>
#include <stdint.h>

#include "boot_stage.h"
#include "cortexm.h"
#include "port_config.h"

/* Clocks at full speed, flash wait states, and the clocks of PORT_* peripherals; the family's clock.c. */
void stm32_clocks_up(void);

/* Instruction and data cache; cache.c of a Cortex-M7, or of the family. */
void stm32_caches_up(void);

/* Cycle counter and its slow companion; ticks.c. */
void stm32_ticks_up(void);

/* Clears `clear`, sets `set`. */
__attribute__((always_inline)) static inline void stm32_change(uintptr_t address, uint32_t clear, uint32_t set)
{
    CORTEXM_REGISTER(address) = (CORTEXM_REGISTER(address) & ~clear) | set;
}

/* Limits of waits, in polls of a register, each of which takes at least STM32_CYCLES_A_POLL: load, comparison, count,
 * branch.
 *
 * At start: regulators, oscillators and PLLs are ready after some microseconds, the slowest after a few hundred
 * (datasheets, "Operating conditions" and "PLL characteristics"). The fastest clock that is waited on so long is the
 * 64 MHz of an H7 after reset, where these polls take 12 ms; the slowest, the 4 MHz of an L4, where they take about half
 * a second, well within a host's patience. What is waited for at full speed takes some cycles.
 * For the clock on the HSE pin, which may be missing: one that is fed from outside is ready after some cycles. */
#define STM32_CYCLES_A_POLL 4U
#define STM32_BOOT_POLLS 200000U
#define STM32_HSE_POLLS 20000U

/* Waits until the bits of `mask` read `value`; false where they still do not after so many polls. Always inline,
 * because cortexm_early has no stack. */
__attribute__((always_inline)) static inline bool stm32_came(uintptr_t address, uint32_t mask, uint32_t value,
                                                             uint32_t polls)
{
    for (uint32_t i = 0; i < polls; i++) {
        if ((CORTEXM_REGISTER(address) & mask) == value) {
            return true;
        }
    }
    return false;
}

/* A stage of the start: waits until the bits of `mask` read `value`, or stops. One function for all waits of a file,
 * which is half of what they would be inline. */
__attribute__((noinline, unused)) static void stm32_await(uintptr_t address, uint32_t mask, uint32_t value,
                                                          uint32_t stage)
{
    cortexm_boot_at(stage);
    if (!stm32_came(address, mask, value, STM32_BOOT_POLLS)) {
        cortexm_boot_stop(stage);
    }
}

#endif
