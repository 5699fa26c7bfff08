/* Clocks of the nRF52 (product specification, chapters CLOCK and NVMC): the core always runs at 64 MHz; the crystal makes
 * that exact, which the UART needs. */
#include "nrf.h"

#define TASKS_HFCLKSTART 0x40000000U
#define EVENTS_HFCLKSTARTED 0x40000100U
#define NVMC_ICACHECNF 0x4001E540U
#define CACHEEN 1U

void nrf_clocks_up(void)
{
    cortexm_boot_at(HIL_BOOT_OSCILLATOR);
    CORTEXM_REGISTER(EVENTS_HFCLKSTARTED) = 0;
    CORTEXM_REGISTER(TASKS_HFCLKSTART) = 1;
    nrf_await(EVENTS_HFCLKSTARTED, 1U, 1U, NRF_BOOT_POLLS, HIL_BOOT_OSCILLATOR);
    CORTEXM_REGISTER(NVMC_ICACHECNF) = CACHEEN;
}
