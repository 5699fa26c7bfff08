/* Arm MPS2 and MPS3 boards: facts and ticks. The tick is the FPGA's free-running counter, which in the emulator shows
 * virtual time; its 100 Hz neighbour tells how often it wrapped. */
#include "cortexm.h"
#include "hil_port.h"
#include "port_config.h"

#define FPGAIO_CLK100HZ CORTEXM_REGISTER(PORT_FPGAIO_BASE + 0x14U)
#define FPGAIO_COUNTER CORTEXM_REGISTER(PORT_FPGAIO_BASE + 0x18U)

const hil_port_facts hil_port = {PORT_CORE, PORT_CLOCK_HZ, PORT_TICK_HZ, HIL_TICK_EMULATED};

void hil_board_init(void)
{
    hil_stream_init();
}

uint32_t hil_port_tick(void)
{
    return FPGAIO_COUNTER;
}

uint64_t hil_port_tick_coarse(void)
{
    return (uint64_t)FPGAIO_CLK100HZ * (PORT_TICK_HZ / 100U);
}

#ifdef HIL_TEST_FAULTS
void hil_port_bad_access(void)
{
    (void)CORTEXM_REGISTER(0xF0000000U); /* nothing answers there on any of these boards */
}
#endif
