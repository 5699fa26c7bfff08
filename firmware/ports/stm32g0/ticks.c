/* Ticks of a core without a cycle counter (Cortex-M0+): TIM2, which has 32 bits, at the core's own clock, and TIM3, which
 * counts how often TIM2 wraps (RM0444, general-purpose timers, "Using one timer as prescaler for another"). */
#include <stdbool.h>

#include "hil_port.h"
#include "stm32.h"

#define TIM2 0x40000000U
#define TIM3 0x40000400U
#define CR1 0x00U
#define CR2 0x04U
#define SMCR 0x08U
#define EGR 0x14U
#define CNT 0x24U
#define PSC 0x28U
#define ARR 0x2CU

#define CR1_CEN (1U << 0)
#define CR2_MMS_UPDATE (2U << 4)
#define SMCR_EXTERNAL 7U
#define SMCR_ITR1 (1U << 4) /* TIM2, as TIM3 has it */
#define EGR_UG (1U << 0)

#define TEST_INSTRUCTIONS 1024U
#define WRAPS_MASK 0xFFFFU
/* A count near the wrap: TIM3 may follow it some cycles later, or have been read before it. Polls: until it is past. */
#define NEAR 1024U
#define NEAR_POLLS (2U * NEAR / STM32_CYCLES_A_POLL)

_Static_assert(PORT_CLOCK_HZ == PORT_TIMER_HZ, "TIM2 counts the core's cycles");

static bool counts;
static uint32_t last;
static uint64_t wraps;

/* Cycles of a loop of known length: at least one an instruction, and not many more. */
static bool counter_works(void)
{
    for (uint32_t round = 0; round < 4U; round++) {
        uint32_t start = CORTEXM_REGISTER(TIM2 + CNT);
        uint32_t instructions = hil_port_known_loop(TEST_INSTRUCTIONS);
        uint32_t cycles = CORTEXM_REGISTER(TIM2 + CNT) - start;
        if (cycles < instructions || cycles > instructions * 64U) {
            return false;
        }
    }
    return true;
}

void stm32_ticks_up(void)
{
    CORTEXM_REGISTER(TIM2 + CR1) = 0;
    CORTEXM_REGISTER(TIM2 + PSC) = 0;
    CORTEXM_REGISTER(TIM2 + ARR) = 0xFFFFFFFFU;
    CORTEXM_REGISTER(TIM2 + EGR) = EGR_UG;
    CORTEXM_REGISTER(TIM2 + CR2) = CR2_MMS_UPDATE;
    CORTEXM_REGISTER(TIM3 + CR1) = 0;
    CORTEXM_REGISTER(TIM3 + ARR) = WRAPS_MASK;
    CORTEXM_REGISTER(TIM3 + EGR) = EGR_UG;
    CORTEXM_REGISTER(TIM3 + SMCR) = SMCR_ITR1 | SMCR_EXTERNAL;
    CORTEXM_REGISTER(TIM3 + CR1) = CR1_CEN;
    CORTEXM_REGISTER(TIM2 + CR1) = CR1_CEN;
    __asm__ volatile("dsb\nisb" ::: "memory");
    counts = counter_works();
}

/* A counter that failed its test reads 0 for ever, which the runtime tells the host. */
__attribute__((noinline)) uint32_t hil_port_tick(void)
{
    __asm__ volatile("isb" ::: "memory");
    return counts ? CORTEXM_REGISTER(TIM2 + CNT) : 0U;
}

uint64_t hil_port_tick_coarse(void)
{
    uint32_t high = CORTEXM_REGISTER(TIM3 + CNT) & WRAPS_MASK;
    uint32_t low = CORTEXM_REGISTER(TIM2 + CNT);
    for (uint32_t i = 0; i < NEAR_POLLS && (low < NEAR || low > ~NEAR); i++) {
        high = CORTEXM_REGISTER(TIM3 + CNT) & WRAPS_MASK;
        low = CORTEXM_REGISTER(TIM2 + CNT);
    }
    wraps += high < last ? 1U : 0U;
    last = high;
    return (((wraps << 16) | high) << 32) | low;
}
