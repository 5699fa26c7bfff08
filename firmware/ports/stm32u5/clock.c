/* Clocks of the STM32U5 (RM0456, chapters FLASH, PWR and RCC). The PLL makes the core clock from HSI16, which also clocks
 * the booster that range 1 needs above 55 MHz: PLL1MBOOST 0, undivided, within the booster's 4 to 16 MHz. */
#include "stm32.h"

#define RCC 0x46020C00U
#define RCC_CR (RCC + 0x00U)
#define RCC_CFGR1 (RCC + 0x1CU)
#define RCC_CFGR2 (RCC + 0x20U)
#define RCC_PLL1CFGR (RCC + 0x28U)
#define RCC_PLL1DIVR (RCC + 0x34U)
#define RCC_AHB2ENR1 (RCC + 0x8CU)
#define RCC_AHB3ENR (RCC + 0x94U)
#define RCC_APB1ENR1 (RCC + 0x9CU)
#define RCC_APB2ENR (RCC + 0xA4U)

#define CR_HSION (1U << 8)
#define CR_HSIRDY (1U << 10)
#define CR_PLL1ON (1U << 24)
#define CR_PLL1RDY (1U << 25)

#define PLL1CFGR_PLL1SRC_HSI16 2U
#define PLL1CFGR_PLL1M(m) (((uint32_t)(m)-1U) << 8)
#define PLL1CFGR_PLL1REN (1U << 18)
#define PLL1DIVR_PLL1N(n) ((uint32_t)(n)-1U)
#define PLL1DIVR_PLL1P(p) (((uint32_t)(p)-1U) << 9)
#define PLL1DIVR_PLL1Q(q) (((uint32_t)(q)-1U) << 16)
#define PLL1DIVR_PLL1R(r) (((uint32_t)(r)-1U) << 24)

#define CFGR1_SW 3U
#define CFGR1_SW_PLL 3U
#define CFGR1_SWS (3U << 2)
#define CFGR1_SWS_PLL (3U << 2)
#define CFGR2_HPRE 15U
#define CFGR2_HPRE_HALF 8U

#define AHB3ENR_PWREN (1U << 2)
#define APB1ENR1_TIM2EN (1U << 0)

#define PWR_VOSR 0x4602080CU
#define VOSR_BOOSTRDY (1U << 14)
#define VOSR_VOSRDY (1U << 15)
#define VOSR_VOS_RANGE_1 (3U << 16)
#define VOSR_BOOSTEN (1U << 18)

#define FLASH_ACR 0x40022000U
#define ACR_LATENCY 15U
#define ACR_PRFTEN (1U << 8)

#define HSI16_MHZ 16U
#define PLL_INPUT_MHZ 4U /* PLL1RGE 0: 4 to 8 MHz */

void stm32_clocks_up(void)
{
    stm32_change(RCC_AHB3ENR, 0, AHB3ENR_PWREN);
    (void)CORTEXM_REGISTER(RCC_AHB3ENR); /* a clock runs two cycles after it was turned on */
    stm32_change(RCC_CR, 0, CR_HSION);
    stm32_await(RCC_CR, CR_HSIRDY, CR_HSIRDY, HIL_BOOT_OSCILLATOR);
    /* the booster's clock is the PLL's source, chosen first (RM0456, PWR, "Embedded power distribution booster") */
    CORTEXM_REGISTER(RCC_PLL1CFGR) = PLL1CFGR_PLL1REN | PLL1CFGR_PLL1M(HSI16_MHZ / PLL_INPUT_MHZ) | PLL1CFGR_PLL1SRC_HSI16;
    stm32_change(PWR_VOSR, 0, VOSR_VOS_RANGE_1);
    stm32_await(PWR_VOSR, VOSR_VOSRDY, VOSR_VOSRDY, HIL_BOOT_VOLTAGE);
    stm32_change(PWR_VOSR, 0, VOSR_BOOSTEN);
    stm32_await(PWR_VOSR, VOSR_BOOSTRDY, VOSR_BOOSTRDY, HIL_BOOT_OVERDRIVE);
    CORTEXM_REGISTER(RCC_PLL1DIVR) = PLL1DIVR_PLL1R(2) | PLL1DIVR_PLL1Q(2) | PLL1DIVR_PLL1P(2) |
                                     PLL1DIVR_PLL1N(2U * PORT_CLOCK_HZ / (PLL_INPUT_MHZ * 1000000U));
    stm32_change(RCC_CR, 0, CR_PLL1ON);
    stm32_await(RCC_CR, CR_PLL1RDY, CR_PLL1RDY, HIL_BOOT_PLL);
    CORTEXM_REGISTER(FLASH_ACR) = PORT_FLASH_LATENCY | ACR_PRFTEN;
    stm32_await(FLASH_ACR, ACR_LATENCY, PORT_FLASH_LATENCY, HIL_BOOT_FLASH_LATENCY);
    /* at half speed for a microsecond first (RM0456, RCC, "Clock source frequency versus voltage scaling") */
    stm32_change(RCC_CFGR2, CFGR2_HPRE, CFGR2_HPRE_HALF);
    stm32_change(RCC_CFGR1, CFGR1_SW, CFGR1_SW_PLL);
    stm32_await(RCC_CFGR1, CFGR1_SWS, CFGR1_SWS_PLL, HIL_BOOT_CLOCK_SWITCH);
    for (uint32_t i = 0; i < PORT_CLOCK_HZ / 2000000U; i++) {
        __asm__ volatile("nop");
    }
    stm32_change(RCC_CFGR2, CFGR2_HPRE, 0);
    stm32_change(RCC_AHB2ENR1, 0, PORT_RCC_AHB2ENR1);
    stm32_change(RCC_APB1ENR1, 0, PORT_RCC_APB1ENR1 | APB1ENR1_TIM2EN);
    stm32_change(RCC_APB2ENR, 0, PORT_RCC_APB2ENR);
    (void)CORTEXM_REGISTER(RCC_APB2ENR);
    (void)CORTEXM_REGISTER(RCC_APB2ENR);
}
