/* The instruction cache of the STM32U5, which lies before the flash (RM0456, chapter ICACHE). It invalidates itself after
 * reset and can be turned on when that is done. */
#include "stm32.h"

#define ICACHE_CR 0x40030400U
#define ICACHE_SR 0x40030404U
#define CR_EN (1U << 0)
#define SR_BUSYF (1U << 0)

void stm32_caches_up(void)
{
    stm32_await(ICACHE_SR, SR_BUSYF, 0, HIL_BOOT_CACHES);
    stm32_change(ICACHE_CR, 0, CR_EN);
    __asm__ volatile("dsb\nisb" ::: "memory");
}
