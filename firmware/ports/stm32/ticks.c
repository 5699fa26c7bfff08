/* Ticks: the core's cycle counter (DWT CYCCNT, Armv7-M Architecture Reference Manual C1.8), which wraps after some
 * seconds, and TIM2 (32 bits in every family) counting far slower on the same clock tree, which tells how often it
 * has. */
#include <stdbool.h>

#include "cycle_counter.h"
#include "hil_port.h"
#include "stm32.h"

/* Reference manuals, "General-purpose timers (TIM2...)". */
#define TIM2_CR1 CORTEXM_REGISTER(0x40000000U)
#define TIM2_EGR CORTEXM_REGISTER(0x40000014U)
#define TIM2_CNT CORTEXM_REGISTER(0x40000024U)
#define TIM2_PSC CORTEXM_REGISTER(0x40000028U)
#define TIM2_ARR CORTEXM_REGISTER(0x4000002CU)
#define CR1_CEN (1U << 0)
#define EGR_UG (1U << 0)

#define PRESCALER 40000U
#define CYCLES_A_COUNT (PRESCALER * (PORT_CLOCK_HZ / PORT_TIMER_HZ))

_Static_assert(PORT_CLOCK_HZ % PORT_TIMER_HZ == 0, "a timer count must be a whole number of cycles");

static bool counts;
static uint32_t last;
static uint64_t wraps;

void stm32_ticks_up(void)
{
    TIM2_CR1 = 0;
    TIM2_PSC = PRESCALER - 1U;
    TIM2_ARR = 0xFFFFFFFFU;
    TIM2_EGR = EGR_UG; /* takes the prescaler over */
    TIM2_CR1 = CR1_CEN;
    counts = cycle_counter_up();
}

/* The barrier makes what comes before it count before and what comes after it count after. A counter that failed its
 * test reads 0 for ever, which the runtime tells the host. */
__attribute__((noinline)) uint32_t hil_port_tick(void)
{
    __asm__ volatile("isb" ::: "memory");
    return counts ? DWT_CYCCNT : 0U;
}

uint64_t hil_port_tick_coarse(void)
{
    uint32_t now = TIM2_CNT;
    wraps += now < last ? 1U : 0U;
    last = now;
    return ((wraps << 32) | now) * CYCLES_A_COUNT;
}
