/* What the nRF ports share: registers by address, tasks and events, waits with a limit. A board's facts are in its
 * port_config.h; ports/README.md names them. */
#ifndef NRF_H
#define NRF_H

#include <stdbool.h>
#include <stdint.h>

#include "boot_stage.h"
#include "cortexm.h"
#include "port_config.h"

/* The crystal's clock, and what the chip has besides; the family's clock.c. */
void nrf_clocks_up(void);

/* The counter and its slow companion; the family's ticks.c. */
void nrf_ticks_up(void);

/* Polls of a register, each at least 4 cycles: the crystal needs up to 2 ms (product specification, HFXO); here 12 ms and
 * more. The UART: twice the time of a byte at the lowest rate. */
#define NRF_BOOT_POLLS 200000U
#define NRF_UART_BAUD_MIN 9600U
#ifndef NRF_UART_POLLS
#define NRF_UART_POLLS (PORT_CLOCK_HZ / NRF_UART_BAUD_MIN * (2U * 10U) / 4U)
#endif

/* Waits until the bits of `mask` read `value`, or stops at a stage after `polls`; with NRF_NO_LIMIT never. */
#define NRF_NO_LIMIT 0U
__attribute__((noinline, unused)) static void nrf_await(uintptr_t address, uint32_t mask, uint32_t value, uint32_t polls,
                                                        uint32_t stage)
{
    for (uint32_t i = 0; polls == NRF_NO_LIMIT || i < polls; i++) {
        if ((CORTEXM_REGISTER(address) & mask) == value) {
            return;
        }
    }
    cortexm_boot_stop(stage);
}

#endif
