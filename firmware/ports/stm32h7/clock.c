/* Clocks of the STM32H7: reference manuals RM0433 (H743) and RM0455 (H7A3), chapters PWR, RCC and FLASH. PLL1 makes the
 * core clock from the 8 MHz that the board's debug probe puts on the HSE pin, or from HSI (64 MHz) where none comes. */
#include "stm32.h"

#define RCC 0x58024400U
#define RCC_CR (RCC + 0x00U)
#define RCC_CFGR (RCC + 0x10U)
#define RCC_D1CFGR (RCC + 0x18U) /* CDCFGR1 of the H7A3 */
#define RCC_D2CFGR (RCC + 0x1CU) /* CDCFGR2 */
#define RCC_D3CFGR (RCC + 0x20U) /* SRDCFGR */
#define RCC_PLLCKSELR (RCC + 0x28U)
#define RCC_PLLCFGR (RCC + 0x2CU)
#define RCC_PLL1DIVR (RCC + 0x30U)
#define RCC_AHB4ENR (RCC + PORT_RCC_AHB4ENR)
#define RCC_APB1LENR (RCC + PORT_RCC_APB1LENR)

#define CR_HSION (1U << 0)
#define CR_HSIRDY (1U << 2)
#define CR_HSIDIV (3U << 3)
#define CR_HSEON (1U << 16)
#define CR_HSERDY (1U << 17)
#define CR_HSEBYP (1U << 18)
#define CR_PLL1ON (1U << 24)
#define CR_PLL1RDY (1U << 25)

#define CFGR_SW 7U
#define CFGR_SW_PLL1 3U
#define CFGR_SWS_PLL1 (3U << 3)
#define CFGR_SWS (7U << 3)

#define PLLSRC_HSI 0U
#define PLLSRC_HSE 2U
#define DIVM1(m) ((uint32_t)(m) << 4)
#define DIVM1_FIELD (63U << 4)

#define PLL1RGE_4_TO_8_MHZ (2U << 2)
#define PLL1RGE_FIELD (3U << 2)
#define PLL1FRACEN (1U << 0)
#define PLL1VCOSEL (1U << 1)
#define DIVP1EN (1U << 16)
#define DIVQ1EN (1U << 17)
#define DIVR1EN (1U << 18)

#define D1CFGR_FIELDS ((15U << 8) | (7U << 4) | 15U) /* D1CPRE, D1PPRE, HPRE */
#define D2CFGR_FIELDS ((7U << 8) | (7U << 4))        /* D2PPRE2, D2PPRE1 */
#define D3CFGR_FIELDS (7U << 4)                      /* D3PPRE */
#define PPRE_HALF 4U

#define APB1LENR_TIM2EN (1U << 0)
#define APB1LENR_USART3EN (1U << 18)
#define AHB4ENR_GPIODEN (1U << 3)

#define PWR 0x58024800U
#define PWR_CSR1 (PWR + 0x04U)
#define PWR_CR3 (PWR + 0x0CU)
#define PWR_D3CR (PWR + 0x18U) /* SRDCR of the H7A3 */
#define CSR1_ACTVOSRDY (1U << 13)
#define D3CR_VOSRDY (1U << 13)
#define D3CR_VOS (3U << 14) /* H743: 3 is scale 1; H7A3: 3 is scale 0; each the fastest it can go to from here */

/* CR3: H743 LDOEN and SCUEN, H7A3 LDOEN and SMPSEN; both are on after reset. */
#define CR3_BYPASS (1U << 0)
#define CR3_LDOEN (1U << 1)
#define CR3_SCUEN_OR_SMPSEN (1U << 2)

#define FLASH_ACR 0x52002000U
#define ACR_FIELDS ((3U << 4) | 15U) /* WRHIGHFREQ, LATENCY */

#define PLL_INPUT_MHZ 4U

/* Until the supply is chosen the core supply is not declared valid and RAM must not be written (RM0433 and RM0455,
 * Power control, "System supply startup"). The choice can be made once after power-on and keeps over resets. */
void cortexm_early(void)
{
    stm32_change(PWR_CR3, CR3_BYPASS | CR3_LDOEN | CR3_SCUEN_OR_SMPSEN, PORT_PWR_CR3_SUPPLY);
    if (!stm32_came(PWR_CSR1, CSR1_ACTVOSRDY, CSR1_ACTVOSRDY, STM32_BOOT_POLLS)) {
        cortexm_boot_stop(HIL_BOOT_SUPPLY); /* the only word that is written, and nothing is lost if it does not last */
    }
}

static void pll_up(void)
{
    uint32_t source = PLLSRC_HSE;
    uint32_t m = PORT_HSE_MHZ / PLL_INPUT_MHZ;
    stm32_change(RCC_CR, CR_HSIDIV, CR_HSION);
    stm32_await(RCC_CR, CR_HSIRDY, CR_HSIRDY, HIL_BOOT_OSCILLATOR);
    stm32_change(RCC_CR, 0, CR_HSEBYP);
    stm32_change(RCC_CR, 0, CR_HSEON);
    if (!stm32_came(RCC_CR, CR_HSERDY, CR_HSERDY, STM32_HSE_POLLS)) {
        stm32_change(RCC_CR, CR_HSEON, 0);
        source = PLLSRC_HSI;
        m = 64U / PLL_INPUT_MHZ;
    }
    stm32_change(RCC_PLLCKSELR, DIVM1_FIELD | 3U, DIVM1(m) | source);
    stm32_change(RCC_PLLCFGR, PLL1RGE_FIELD | PLL1VCOSEL | PLL1FRACEN | DIVQ1EN | DIVR1EN,
                 PLL1RGE_4_TO_8_MHZ | DIVP1EN);
    /* DIVR1, DIVQ1, DIVP1 and DIVN1, each less one; P is 2 */
    CORTEXM_REGISTER(RCC_PLL1DIVR) = (1U << 24) | (1U << 16) | (1U << 9) | (2U * PORT_CLOCK_HZ / 4000000U - 1U);
    stm32_change(RCC_CR, 0, CR_PLL1ON);
    stm32_await(RCC_CR, CR_PLL1RDY, CR_PLL1RDY, HIL_BOOT_PLL);
}

void stm32_clocks_up(void)
{
    stm32_change(PWR_D3CR, 0, D3CR_VOS);
    stm32_await(PWR_D3CR, D3CR_VOSRDY, D3CR_VOSRDY, HIL_BOOT_VOLTAGE);
    pll_up();
    /* wait states and bus dividers first, while the clock is still slow */
    stm32_change(FLASH_ACR, ACR_FIELDS, PORT_FLASH_ACR);
    stm32_await(FLASH_ACR, ACR_FIELDS, PORT_FLASH_ACR, HIL_BOOT_FLASH_LATENCY);
    stm32_change(RCC_D1CFGR, D1CFGR_FIELDS, (PPRE_HALF << 4) | PORT_RCC_HPRE);
    stm32_change(RCC_D2CFGR, D2CFGR_FIELDS, (PPRE_HALF << 8) | (PPRE_HALF << 4));
    stm32_change(RCC_D3CFGR, D3CFGR_FIELDS, PPRE_HALF << 4);
    stm32_change(RCC_CFGR, CFGR_SW, CFGR_SW_PLL1);
    stm32_await(RCC_CFGR, CFGR_SWS, CFGR_SWS_PLL1, HIL_BOOT_CLOCK_SWITCH);
    stm32_change(RCC_AHB4ENR, 0, AHB4ENR_GPIODEN);
    stm32_change(RCC_APB1LENR, 0, APB1LENR_USART3EN | APB1LENR_TIM2EN);
    /* a clock runs two cycles after it was turned on (RM0433, RCC, "Peripheral clock gating control") */
    (void)CORTEXM_REGISTER(RCC_APB1LENR);
    (void)CORTEXM_REGISTER(RCC_APB1LENR);
}
