/* Clocks of the nRF51 (reference manual, chapter CLOCK): the core always runs at 16 MHz; the crystal makes that exact, which
 * the UART needs. */
#include "nrf.h"

#define TASKS_HFCLKSTART 0x40000000U
#define EVENTS_HFCLKSTARTED 0x40000100U

void nrf_clocks_up(void)
{
    cortexm_boot_at(HIL_BOOT_OSCILLATOR);
    CORTEXM_REGISTER(EVENTS_HFCLKSTARTED) = 0;
    CORTEXM_REGISTER(TASKS_HFCLKSTART) = 1;
    nrf_await(EVENTS_HFCLKSTARTED, 1U, 1U, NRF_BOOT_POLLS, HIL_BOOT_OSCILLATOR);
}
