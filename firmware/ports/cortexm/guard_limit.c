/* Stack guard of ARMv8-M: the process stack's limit register. */
#include "cortexm.h"
#include "hil_port.h"

void cortexm_guard_up(void)
{
    uint32_t limit = (uint32_t)hil_port_stack_low();
    __asm__ volatile("msr psplim, %0\nisb" ::"r"(limit));
}

uint8_t hil_port_guard(void)
{
    return HIL_GUARD_LIMIT;
}

bool hil_port_guard_intact(void)
{
    return true;
}
