/* Clocks of the STM32G0 (RM0444, chapters FLASH, PWR and RCC). The PLL makes the core clock from HSI16, which runs after
 * reset. */
#include "stm32.h"

#define RCC 0x40021000U
#define RCC_CR (RCC + 0x00U)
#define RCC_CFGR (RCC + 0x08U)
#define RCC_PLLCFGR (RCC + 0x0CU)
#define RCC_IOPENR (RCC + 0x34U)
#define RCC_APBENR1 (RCC + 0x3CU)

#define CR_HSION (1U << 8)
#define CR_HSIRDY (1U << 10)
#define CR_PLLON (1U << 24)
#define CR_PLLRDY (1U << 25)

#define PLLCFGR_PLLSRC_HSI16 2U
#define PLLCFGR_PLLM(m) (((uint32_t)(m)-1U) << 4)
#define PLLCFGR_PLLN(n) ((uint32_t)(n) << 8)
#define PLLCFGR_PLLREN (1U << 28)
#define PLLCFGR_PLLR(r) (((uint32_t)(r)-1U) << 29)

#define CFGR_SW 7U
#define CFGR_SW_PLL 2U
#define CFGR_SWS (7U << 3)
#define CFGR_SWS_PLL (2U << 3)

#define APBENR1_TIM2EN (1U << 0)
#define APBENR1_TIM3EN (1U << 1)
#define APBENR1_PWREN (1U << 28)

#define PWR_CR1 0x40007000U
#define PWR_SR2 0x40007014U
#define CR1_VOS (3U << 9)
#define CR1_VOS_RANGE_1 (1U << 9)
#define SR2_VOSF (1U << 10)

#define FLASH_ACR 0x40022000U
#define ACR_LATENCY 7U
#define ACR_PRFTEN (1U << 8)
#define ACR_ICEN (1U << 9)

#define HSI16_HZ 16000000U
#define PLL_OUTPUT_DIVIDER 2U

_Static_assert(PORT_CLOCK_HZ * PLL_OUTPUT_DIVIDER % HSI16_HZ == 0, "the PLL multiplies by whole numbers");

void stm32_clocks_up(void)
{
    stm32_change(RCC_APBENR1, 0, APBENR1_PWREN);
    (void)CORTEXM_REGISTER(RCC_APBENR1); /* a clock runs two cycles after it was turned on */
    stm32_change(PWR_CR1, CR1_VOS, CR1_VOS_RANGE_1);
    stm32_await(PWR_SR2, SR2_VOSF, 0, HIL_BOOT_VOLTAGE);
    stm32_change(RCC_CR, 0, CR_HSION);
    stm32_await(RCC_CR, CR_HSIRDY, CR_HSIRDY, HIL_BOOT_OSCILLATOR);
    CORTEXM_REGISTER(RCC_PLLCFGR) = PLLCFGR_PLLREN | PLLCFGR_PLLR(PLL_OUTPUT_DIVIDER) |
                                    PLLCFGR_PLLN(PORT_CLOCK_HZ * PLL_OUTPUT_DIVIDER / HSI16_HZ) | PLLCFGR_PLLM(1) |
                                    PLLCFGR_PLLSRC_HSI16;
    stm32_change(RCC_CR, 0, CR_PLLON);
    stm32_await(RCC_CR, CR_PLLRDY, CR_PLLRDY, HIL_BOOT_PLL);
    stm32_change(FLASH_ACR, ACR_LATENCY, PORT_FLASH_LATENCY | ACR_PRFTEN | ACR_ICEN);
    stm32_await(FLASH_ACR, ACR_LATENCY, PORT_FLASH_LATENCY, HIL_BOOT_FLASH_LATENCY);
    stm32_change(RCC_CFGR, CFGR_SW, CFGR_SW_PLL);
    stm32_await(RCC_CFGR, CFGR_SWS, CFGR_SWS_PLL, HIL_BOOT_CLOCK_SWITCH);
    stm32_change(RCC_IOPENR, 0, PORT_RCC_IOPENR);
    stm32_change(RCC_APBENR1, 0, PORT_RCC_APBENR1 | APBENR1_TIM2EN | APBENR1_TIM3EN);
    (void)CORTEXM_REGISTER(RCC_APBENR1);
    (void)CORTEXM_REGISTER(RCC_APBENR1);
}
