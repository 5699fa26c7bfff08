/* Ticks of a core without a cycle counter: TIMER0 at 16 MHz, the only timer of the nRF51 that has 32 bits (reference
 * manual, chapter TIMER). How often it wraps is known as long as it is asked within 268 s. */
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

static uint32_t last;
static uint64_t wraps;

void nrf_ticks_up(void)
{
    MODE = 0;
    BITMODE = BITMODE_32;
    PRESCALER = 0;
    TASKS_CLEAR = 1;
    TASKS_START = 1;
}

__attribute__((noinline)) uint32_t hil_port_tick(void)
{
    TASKS_CAPTURE0 = 1;
    return CC0;
}

uint64_t hil_port_tick_coarse(void)
{
    uint32_t now = hil_port_tick();
    wraps += now < last ? 1U : 0U;
    last = now;
    return (wraps << 32) | now;
}
