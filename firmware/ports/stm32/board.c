/* Start and facts of an STM32 board. */
#include "hil_port.h"
#include "stm32.h"

const hil_port_facts hil_port = {PORT_CORE, PORT_CLOCK_HZ, PORT_CLOCK_HZ, HIL_TICK_CYCLES};

void hil_board_init(void)
{
    stm32_clocks_up();
#ifdef PORT_HAS_CACHES
    cortexm_boot_at(HIL_BOOT_CACHES);
    stm32_caches_up();
#endif
    cortexm_boot_at(HIL_BOOT_TICKS);
    stm32_ticks_up();
    hil_stream_init();
    cortexm_boot_at(HIL_BOOT_DONE);
}

#ifdef HIL_TEST_FAULTS
void hil_port_bad_access(void)
{
    (void)CORTEXM_REGISTER(0xF0000000U); /* vendor region of the core's memory map: nothing answers there */
}
#endif
