/* Requantization by one line (harness/kernels/requant_linear.py): y = (((sum << SCALE_BITS) + offset) * m >> 32) >>
 * FRACTION_BITS, saturated. */
#ifndef HIL_KERNELS_REQUANT_LINEAR_H
#define HIL_KERNELS_REQUANT_LINEAR_H

#define HIL_LINEAR_SCALE_BITS 8
#define HIL_LINEAR_FRACTION_BITS 9

#endif
