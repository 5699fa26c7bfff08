/* Arm's model of Corstone-300: the devices of the MPS3 board with AN547, at its own pace. */
#include "../mps3-an547/port_config.h"

#undef PORT_CLOCK_HZ
#define PORT_CLOCK_HZ 25000000U
