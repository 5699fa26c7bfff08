/* Ticks: the core's cycle counter, which wraps after a minute, and TIMER0 counting far slower on the same clock, which
 * tells how often it has (product specification, chapter TIMER). */
#include <stdbool.h>

#include "cycle_counter.h"
#include "hil_port.h"
#include "nrf.h"

#define TIMER0 0x40008000U
#define TASKS_START CORTEXM_REGISTER(TIMER0 + 0x000U)
#define TASKS_CLEAR CORTEXM_REGISTER(TIMER0 + 0x00CU)
#define TASKS_CAPTURE0 CORTEXM_REGISTER(TIMER0 + 0x040U)
#define MODE CORTEXM_REGISTER(TIMER0 + 0x504U)
#define BITMODE CORTEXM_REGISTER(TIMER0 + 0x508U)
#define PRESCALER CORTEXM_REGISTER(TIMER0 + 0x510U)
#define CC0 CORTEXM_REGISTER(TIMER0 + 0x540U)
#define BITMODE_32 3U
#define SLOWEST 9U

#define TIMER_HZ (16000000U >> SLOWEST)
#define CYCLES_A_COUNT (PORT_CLOCK_HZ / TIMER_HZ)

_Static_assert(PORT_CLOCK_HZ % TIMER_HZ == 0, "a timer count must be a whole number of cycles");

static bool counts;
static uint32_t last;
static uint64_t wraps;

void nrf_ticks_up(void)
{
    MODE = 0;
    BITMODE = BITMODE_32;
    PRESCALER = SLOWEST;
    TASKS_CLEAR = 1;
    TASKS_START = 1;
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
    TASKS_CAPTURE0 = 1;
    uint32_t now = CC0;
    wraps += now < last ? 1U : 0U;
    last = now;
    return ((wraps << 32) | now) * CYCLES_A_COUNT;
}
