/* Clocks of the STM32L4 and L4+: reference manuals RM0351 (L476) and RM0432 (L4R5), chapters FLASH, PWR and RCC. The PLL
 * makes the core clock from HSI16, which needs no solder bridge: whether the debug probe's clock reaches the chip differs
 * between these boards. */
#include "stm32.h"

#define RCC 0x40021000U
#define RCC_CR (RCC + 0x00U)
#define RCC_CFGR (RCC + 0x08U)
#define RCC_PLLCFGR (RCC + 0x0CU)
#define RCC_AHB2ENR (RCC + 0x4CU)
#define RCC_APB1ENR1 (RCC + 0x58U)
#define RCC_APB1ENR2 (RCC + 0x5CU)

#define CR_HSION (1U << 8)
#define CR_HSIRDY (1U << 10)
#define CR_PLLON (1U << 24)
#define CR_PLLRDY (1U << 25)

#define PLLCFGR_PLLSRC_HSI16 2U
#define PLLCFGR_PLLM(m) (((uint32_t)(m)-1U) << 4)
#define PLLCFGR_PLLN(n) ((uint32_t)(n) << 8)
#define PLLCFGR_PLLREN (1U << 24)
#define PLLCFGR_PLLR_2 (0U << 25)

#define CFGR_SW 3U
#define CFGR_SW_PLL 3U
#define CFGR_SWS (3U << 2)
#define CFGR_SWS_PLL (3U << 2)
#define CFGR_HPRE (15U << 4)
#define CFGR_HPRE_HALF (8U << 4)

#define APB1ENR1_TIM2EN (1U << 0)
#define APB1ENR1_PWREN (1U << 28)

#define PWR 0x40007000U
#define PWR_CR1 (PWR + 0x00U)
#define PWR_CR2 (PWR + 0x04U)
#define PWR_SR2 (PWR + 0x14U)
#define PWR_CR5 (PWR + 0x80U)
#define CR1_VOS (3U << 9)
#define CR1_VOS_RANGE_1 (1U << 9)
#define CR2_IOSV (1U << 9)
#define SR2_VOSF (1U << 10)
#define CR5_R1MODE (1U << 8)

#define FLASH_ACR 0x40022000U
#define ACR_LATENCY 15U
#define ACR_PRFTEN (1U << 8)
#define ACR_ICEN (1U << 9)
#define ACR_DCEN (1U << 10)

#define HSI16_MHZ 16U
#define PLL_INPUT_MHZ 4U

void stm32_clocks_up(void)
{
    stm32_change(RCC_APB1ENR1, 0, APB1ENR1_PWREN);
    (void)CORTEXM_REGISTER(RCC_APB1ENR1); /* a clock runs two cycles after it was turned on */
    stm32_change(PWR_CR1, CR1_VOS, CR1_VOS_RANGE_1);
    stm32_await(PWR_SR2, SR2_VOSF, 0, HIL_BOOT_VOLTAGE);
#ifdef PORT_PWR_BOOST
    /* range 1 boost, above 80 MHz (RM0432, PWR, "Dynamic voltage scaling management") */
    stm32_change(PWR_CR5, CR5_R1MODE, 0);
#endif
#ifdef PORT_PWR_IOSV
    /* port G has a supply of its own: declared valid (RM0432, PWR, "Independent I/O supply rail") */
    stm32_change(PWR_CR2, 0, CR2_IOSV);
#endif
    stm32_change(RCC_CR, 0, CR_HSION);
    stm32_await(RCC_CR, CR_HSIRDY, CR_HSIRDY, HIL_BOOT_OSCILLATOR);
    CORTEXM_REGISTER(RCC_PLLCFGR) = PLLCFGR_PLLREN | PLLCFGR_PLLR_2 |
                                    PLLCFGR_PLLN(2U * PORT_CLOCK_HZ / (PLL_INPUT_MHZ * 1000000U)) |
                                    PLLCFGR_PLLM(HSI16_MHZ / PLL_INPUT_MHZ) | PLLCFGR_PLLSRC_HSI16;
    stm32_change(RCC_CR, 0, CR_PLLON);
    stm32_await(RCC_CR, CR_PLLRDY, CR_PLLRDY, HIL_BOOT_PLL);
    CORTEXM_REGISTER(FLASH_ACR) = PORT_FLASH_LATENCY | ACR_PRFTEN | ACR_ICEN | ACR_DCEN;
    stm32_await(FLASH_ACR, ACR_LATENCY, PORT_FLASH_LATENCY, HIL_BOOT_FLASH_LATENCY);
    /* at half speed for a microsecond first, as the boost wants it (RM0432, RCC, "Clock source frequency versus voltage
     * scaling") */
    stm32_change(RCC_CFGR, CFGR_HPRE, CFGR_HPRE_HALF);
    stm32_change(RCC_CFGR, CFGR_SW, CFGR_SW_PLL);
    stm32_await(RCC_CFGR, CFGR_SWS, CFGR_SWS_PLL, HIL_BOOT_CLOCK_SWITCH);
    for (uint32_t i = 0; i < PORT_CLOCK_HZ / 2000000U; i++) {
        __asm__ volatile("nop");
    }
    stm32_change(RCC_CFGR, CFGR_HPRE, 0);
    stm32_change(RCC_AHB2ENR, 0, PORT_RCC_AHB2ENR);
    stm32_change(RCC_APB1ENR1, 0, PORT_RCC_APB1ENR1 | APB1ENR1_TIM2EN);
    stm32_change(RCC_APB1ENR2, 0, PORT_RCC_APB1ENR2);
    (void)CORTEXM_REGISTER(RCC_APB1ENR2);
    (void)CORTEXM_REGISTER(RCC_APB1ENR2);
}
