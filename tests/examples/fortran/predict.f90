! SPDX-License-Identifier: BSD-3-Clause
! predict.f90 - a Fortran code with a surrogate inside: predict MODEL
program predict
   use locum
   use, intrinsic :: iso_fortran_env, only: real64, int32
   implicit none
   integer, parameter :: rows = 2
   type(locum_surrogate) :: s
   type(locum_port) :: port
   type(locum_view), allocatable :: inputs(:), outputs(:), lower(:), upper(:)
   real(real64), allocatable, target :: x(:, :, :), y(:, :, :)
   integer(int32), target :: flag(rows)
   integer :: status, i
   character(1024) :: path

   call get_command_argument(1, path)
   call s%open(trim(path), max_rows=rows, status=status)
   if (status /= 0) stop 1
   port = s%output(1)
   allocate (x(rows, 1, s%n_inputs), y(rows, port%extent, 3), inputs(s%n_inputs))
   allocate (outputs(s%n_outputs), lower(s%n_outputs), upper(s%n_outputs)) ! no view: an output that is not made
   do i = 1, s%n_inputs ! the middle of each range, and far outside
      port = s%input(i)
      x(:, 1, i) = [0.5_real64*(port%lower + port%upper), 10*port%upper]
      inputs(i) = locum_columns(x(:, :, i))
   end do
   outputs(1) = locum_columns(y(:, :, 1))
   lower(1) = locum_columns(y(:, :, 2))
   upper(1) = locum_columns(y(:, :, 3))
   call s%predict(rows, inputs, outputs, status, coverage=0.9_real64, lower=lower, upper=upper, flag=flag)
   if (status /= 0) print '(a)', trim(s%message)
   port = s%output(1)
   do i = 1, rows
      print '(a, 3(1x, es22.15), 1x, i0)', port%name, y(i, 1, :), flag(i)
   end do
   call s%close()
end program predict
