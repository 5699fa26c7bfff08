/* Start and facts of an nRF board. */
#include "hil_port.h"
#include "nrf.h"

const hil_port_facts hil_port = {PORT_CORE, PORT_CLOCK_HZ, PORT_TICK_HZ, PORT_TICK_UNIT};

void hil_board_init(void)
{
    nrf_clocks_up();
    cortexm_boot_at(HIL_BOOT_TICKS);
    nrf_ticks_up();
    hil_stream_init();
    cortexm_boot_at(HIL_BOOT_DONE);
}

#ifdef HIL_TEST_FAULTS
void hil_port_bad_access(void)
{
    (void)CORTEXM_REGISTER(0x60000000U); /* external memory, of which these chips have none: nothing answers there */
}
#endif
