/* Clocks of the STM32F7 and F4, whose clock controllers are alike: reference manuals RM0385 (F746) and RM0390 (F446),
 * chapters FLASH, PWR and RCC. The PLL makes the core clock from the 8 MHz that the board's debug probe puts on the
 * HSE pin, or from HSI (16 MHz) where none comes. */
#include "stm32.h"

#define RCC 0x40023800U
#define RCC_CR (RCC + 0x00U)
#define RCC_PLLCFGR (RCC + 0x04U)
#define RCC_CFGR (RCC + 0x08U)
#define RCC_AHB1ENR (RCC + 0x30U)
#define RCC_APB1ENR (RCC + 0x40U)

#define CR_HSION (1U << 0)
#define CR_HSIRDY (1U << 1)
#define CR_HSEON (1U << 16)
#define CR_HSERDY (1U << 17)
#define CR_HSEBYP (1U << 18)
#define CR_PLLON (1U << 24)
#define CR_PLLRDY (1U << 25)

#define PLLCFGR_PLLN(n) ((uint32_t)(n) << 6)
#define PLLCFGR_PLLP_2 (0U << 16)
#define PLLCFGR_PLLSRC_HSE (1U << 22)
#define PLLCFGR_PLLQ(q) ((uint32_t)(q) << 24)
#define PLLCFGR_PLLR(r) ((uint32_t)(r) << 28) /* reserved on the F746, where its reset value is the same 2 */

#define CFGR_SW 3U
#define CFGR_SW_PLL 2U
#define CFGR_SWS (3U << 2)
#define CFGR_SWS_PLL (2U << 2)
#define CFGR_HPRE (15U << 4)
#define CFGR_PPRE1 (7U << 10)
#define CFGR_PPRE2 (7U << 13)
#define CFGR_PPRE1_QUARTER (5U << 10)
#define CFGR_PPRE2_HALF (4U << 13)

#define APB1ENR_TIM2EN (1U << 0)
#define APB1ENR_PWREN (1U << 28)

#define PWR_CR 0x40007000U  /* CR1 on the F7 */
#define PWR_CSR 0x40007004U /* CSR1 */
#define CR_VOS_SCALE_1 (3U << 14)
#define CR_ODEN (1U << 16)
#define CR_ODSWEN (1U << 17)
#define CSR_ODRDY (1U << 16)
#define CSR_ODSWRDY (1U << 17)

#define FLASH_ACR 0x40023C00U
#define ACR_LATENCY 15U

#define PLL_INPUT_MHZ 2U

static void pll_up(void)
{
    uint32_t source = PLLCFGR_PLLSRC_HSE;
    uint32_t m = PORT_HSE_MHZ / PLL_INPUT_MHZ;
    stm32_change(RCC_CR, 0, CR_HSION);
    stm32_await(RCC_CR, CR_HSIRDY, CR_HSIRDY, HIL_BOOT_OSCILLATOR);
    stm32_change(RCC_CR, 0, CR_HSEBYP);
    stm32_change(RCC_CR, 0, CR_HSEON);
    if (!stm32_came(RCC_CR, CR_HSERDY, CR_HSERDY, STM32_HSE_POLLS)) {
        stm32_change(RCC_CR, CR_HSEON, 0);
        source = 0;
        m = 16U / PLL_INPUT_MHZ;
    }
    CORTEXM_REGISTER(RCC_PLLCFGR) = PLLCFGR_PLLR(2) | PLLCFGR_PLLQ(9) | source | PLLCFGR_PLLP_2 |
                                    PLLCFGR_PLLN(2U * PORT_CLOCK_HZ / (PLL_INPUT_MHZ * 1000000U)) | m;
    stm32_change(RCC_CR, 0, CR_PLLON);
}

void stm32_clocks_up(void)
{
    stm32_change(RCC_APB1ENR, 0, APB1ENR_PWREN);
    (void)CORTEXM_REGISTER(RCC_APB1ENR); /* a clock runs two cycles after it was turned on */
    stm32_change(PWR_CR, 0, CR_VOS_SCALE_1);
    pll_up();
    /* overdrive, which the highest frequencies need (both manuals, PWR, "Entering Over-drive mode") */
    stm32_change(PWR_CR, 0, CR_ODEN);
    stm32_await(PWR_CSR, CSR_ODRDY, CSR_ODRDY, HIL_BOOT_OVERDRIVE);
    stm32_change(PWR_CR, 0, CR_ODSWEN);
    stm32_await(PWR_CSR, CSR_ODSWRDY, CSR_ODSWRDY, HIL_BOOT_OVERDRIVE);
    CORTEXM_REGISTER(FLASH_ACR) = PORT_FLASH_ACR;
    stm32_await(FLASH_ACR, ACR_LATENCY, PORT_FLASH_ACR & ACR_LATENCY, HIL_BOOT_FLASH_LATENCY);
    stm32_await(RCC_CR, CR_PLLRDY, CR_PLLRDY, HIL_BOOT_PLL);
    stm32_change(RCC_CFGR, CFGR_HPRE | CFGR_PPRE1 | CFGR_PPRE2, CFGR_PPRE1_QUARTER | CFGR_PPRE2_HALF);
    stm32_change(RCC_CFGR, CFGR_SW, CFGR_SW_PLL);
    stm32_await(RCC_CFGR, CFGR_SWS, CFGR_SWS_PLL, HIL_BOOT_CLOCK_SWITCH);
    stm32_change(RCC_AHB1ENR, 0, PORT_RCC_AHB1ENR);
    stm32_change(RCC_APB1ENR, 0, PORT_RCC_APB1ENR | APB1ENR_TIM2EN);
    (void)CORTEXM_REGISTER(RCC_APB1ENR);
    (void)CORTEXM_REGISTER(RCC_APB1ENR);
}
