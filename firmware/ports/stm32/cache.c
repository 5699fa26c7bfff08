/* Caches of the Cortex-M7 (Armv7-M Architecture Reference Manual, B2.2.7 and B4.8). After reset they are off and hold
 * anything, so they are invalidated first. TCM is not cached. The debugger's accesses go through the data cache
 * (Cortex-M7 manual, AHBD), so arena and stack look to it as they do to the core. */
#include "stm32.h"

#define CCR_DC (1U << 16)
#define CCR_IC (1U << 17)
#define CCSIDR CORTEXM_REGISTER(0xE000ED80U)
#define CSSELR CORTEXM_REGISTER(0xE000ED84U)
#define ICIALLU CORTEXM_REGISTER(0xE000EF50U)
#define DCISW CORTEXM_REGISTER(0xE000EF60U)

/* Of DCISW, for lines of 32 bytes in 4 ways, as the M7's data cache has. */
#define SET_SHIFT 5U
#define WAY_SHIFT 30U

void stm32_caches_up(void)
{
    CSSELR = 0; /* the data cache of level 1 */
    __asm__ volatile("dsb" ::: "memory");
    uint32_t size = CCSIDR;
    uint32_t sets = (size >> 13) & 0x7FFFU; /* less one */
    uint32_t ways = (size >> 3) & 0x3FFU;   /* less one */
    for (uint32_t set = 0; set <= sets; set++) {
        for (uint32_t way = 0; way <= ways; way++) {
            DCISW = (set << SET_SHIFT) | (way << WAY_SHIFT);
        }
    }
    ICIALLU = 0;
    __asm__ volatile("dsb\nisb" ::: "memory");
    CORTEXM_CCR |= CCR_DC | CCR_IC;
    __asm__ volatile("dsb\nisb" ::: "memory");
}
