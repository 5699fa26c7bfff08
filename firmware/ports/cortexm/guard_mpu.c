/* Stack guard of ARMv7-M: an MPU region without access right under the stack. Where the stack is at the bottom of a
 * memory whose address is a multiple of 1 MiB, the region is that large and costs no memory; elsewhere it is the 1 KiB
 * that the linker script leaves free. Without an MPU, a canary in the stack's last words. */
#include "cortexm.h"
#include "hil_paint.h"
#include "hil_port.h"

#define MPU_TYPE CORTEXM_REGISTER(0xE000ED90U)
#define MPU_CTRL CORTEXM_REGISTER(0xE000ED94U)
#define MPU_RNR CORTEXM_REGISTER(0xE000ED98U)
#define MPU_RBAR CORTEXM_REGISTER(0xE000ED9CU)
#define MPU_RASR CORTEXM_REGISTER(0xE000EDA0U)

#define CANARY_SEED 0xCA7A21E5U
#define CANARY_WORDS (CORTEXM_GUARD_ZONE / 4U)

static bool has_mpu(void)
{
    return ((MPU_TYPE >> 8) & 0xFFU) != 0U;
}

void cortexm_guard_up(void)
{
    for (uint32_t i = 0; i < CANARY_WORDS; i++) {
        hil_stack_bottom[i] = hil_paint_word(CANARY_SEED, i);
    }
    if (has_mpu()) {
        uint32_t size_log2 = (uint32_t)(uintptr_t)hil_stack_guard_log2;
        MPU_RNR = 0;
        MPU_RBAR = (uint32_t)(uintptr_t)hil_stack_bottom - (1U << size_log2);
        MPU_RASR = (1U << 28) | ((size_log2 - 1U) << 1) | 1U; /* no access, no execution */
        MPU_CTRL = 5U;                                              /* on; elsewhere the default map */
        __asm__ volatile("dsb\nisb" ::: "memory");
    }
}

uint8_t hil_port_guard(void)
{
    return has_mpu() ? HIL_GUARD_MPU : HIL_GUARD_CANARY;
}

bool hil_port_guard_intact(void)
{
    bool intact = true;
    if (has_mpu()) {
        return true;
    }
    for (uint32_t i = 0; i < CANARY_WORDS; i++) {
        intact = intact && *(volatile uint32_t *)&hil_stack_bottom[i] == hil_paint_word(CANARY_SEED, i);
    }
    return intact;
}
