! SPDX-License-Identifier: BSD-3-Clause
! roll.f90 MODEL - a roll-out whose answer is known: at step n all fields have moved n cells along x, times gain**n.
program roll
   use locum
   use, intrinsic :: iso_fortran_env, only: real32, real64, int32
   implicit none
   integer, parameter :: nx = 6, ny = 4, rows = 2, steps = 3
   type(locum_surrogate) :: s
   type(locum_view) :: inputs(3)
   real(real64), target :: gain(rows) = [1.0_real64, 0.5_real64], tracer(ny, nx, rows)
   real(real32), target :: velocity(2, ny, nx, rows)
   integer :: status, seen, x, y, c, r
   character(1024) :: path

   call get_command_argument(1, path)
   call s%open(trim(path), max_rows=rows, status=status)
   if (status /= 0) stop 1
   do concurrent(x=1:nx, y=1:ny, r=1:rows)
      tracer(y, x, r) = (x*ny + y)*r/64.0_real64
   end do
   do concurrent(x=1:nx, y=1:ny, c=1:2, r=1:rows)
      velocity(c, y, x, r) = (x + 8*y + 32*c)/256.0_real32
   end do
   inputs(s%find_input('gain')) = locum_columns(gain)
   inputs(s%find_input('tracer')) = locum_fields(tracer)
   inputs(s%find_input('velocity')) = locum_fields(velocity)
   seen = 0
   call s%roll(rows, steps, inputs, compare, status, coverage=0.9_real64)
   if (status /= 0) print '(a)', trim(s%message)
   if (status /= 0 .or. seen /= steps) stop 2
   call s%roll(rows, 50, inputs, enough, status)
   if (status /= LOCUM_STATUS_STOPPED) stop 3
   call s%close()
   print '(a)', 'rolled as known'
contains
   subroutine compare(step, stop)
      type(locum_step), intent(in) :: step
      logical, intent(inout) :: stop
      real(real32), pointer :: found(:, :), low(:, :), high(:, :)
      integer :: n
      n = int(step%lead)
      found => step%value(s%find_output('tracer'))
      low => step%lower(s%find_output('tracer'))
      high => step%upper(s%find_output('tracer'))
      do r = 1, rows ! exact: powers of two times small whole numbers
         if (any(reshape(found(:, r), [ny, nx]) /= cshift(tracer(:, :, r), -n, 2)*gain(r)**n)) stop = .true.
         if (any(low(:, r) > found(:, r)) .or. any(high(:, r) < found(:, r))) stop = .true.
      end do
      found => step%value(s%find_output('velocity'))
      if (any(reshape(found(:, 1), [2, ny, nx]) /= cshift(velocity(:, :, :, 1), -n, 3))) stop = .true.
      if (abs(step%time - n*s%interval) > 1e-12 .or. size(step%flag) /= rows) stop = .true.
      seen = seen + 1
   end subroutine compare
   subroutine enough(step, stop)
      type(locum_step), intent(in) :: step
      logical, intent(inout) :: stop
      if (step%lead == 2) stop = .true.
   end subroutine enough
end program roll
