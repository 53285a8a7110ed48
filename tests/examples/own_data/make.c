/* SPDX-License-Identifier: BSD-3-Clause */
/* make.c - data that somebody may already have: how fast spheres sink in water.
 *
 * Weight less buoyancy against drag (R. Clift, W. Gauvin, Proc. Chemeca 1, 14, 1970), solved for the velocity by bisection:
 *     (rho_s - rho) g pi d^3 / 6 = c_d(Re) rho pi d^2 / 8 v^2,   c_d = 24/Re (1 + 0.15 Re^0.687) + 0.42 / (1 + 42500 Re^-1.16)
 * 320 lines: diameter 0.05 to 5 mm, density 1.1 to 8 times that of water, both spread evenly in their logarithms. */
#include <math.h>
#include <stdio.h>

static double drag(double reynolds)
{
    return 24 / reynolds * (1 + 0.15 * pow(reynolds, 0.687)) + 0.42 / (1 + 42500 * pow(reynolds, -1.16));
}

static double sink(double diameter, double density)
{
    const double viscosity = 1e-6, gravity = 9.81;
    double low = 1e-9, high = 100;

    for (int i = 0; i < 200; i++) {
        double v = sqrt(low * high);
        double weight = (density - 1) * gravity * diameter * 4 / 3;
        if (weight > drag(v * diameter / viscosity) * v * v)
            low = v;
        else
            high = v;
    }
    return low;
}

int main(void)
{
    puts("diameter,density,velocity");
    for (int i = 1; i <= 320; i++) {
        double a = fmod(i * 0.7548776662466927, 1), b = fmod(i * 0.5698402909980532, 1); /* evenly over the square */
        double diameter = 5e-5 * pow(100, a), density = 1.1 * pow(8 / 1.1, b);
        printf("%.9g,%.9g,%.9g\n", diameter, density, sink(diameter, density));
    }
    return 0;
}
