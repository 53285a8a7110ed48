! SPDX-License-Identifier: BSD-3-Clause
! views.f90 MODEL - every kind of view gives the model the same values; wrong calls are refused with a message.
program views
   use locum
   use, intrinsic :: iso_fortran_env, only: real32, real64, int32
   implicit none
   integer, parameter :: rows = 5
   type(locum_surrogate) :: s
   type(locum_port) :: port, found
   type(locum_view), allocatable :: inputs(:), outputs(:)
   real(real64), allocatable, target :: wide(:, :), packed(:, :), first(:, :), again(:, :), row_first(:, :)
   real(real32), allocatable, target :: single(:)
   integer :: status, i, k
   character(1024) :: path

   call get_command_argument(1, path)
   call s%open(trim(path)//'.nothing', max_rows=rows, status=status)
   call require(status /= 0 .and. index(s%message, '.nothing') > 0, 'a missing file is named')
   call s%open(trim(path), max_rows=rows, status=status)
   call require(status == 0, 'open')
   call require(s%interval == 0 .and. s%history == 1, 'a map has no interval')
   call require(s%metadata('task') /= 'nothing' .and. s%metadata('nothing') == '', 'metadata')
   port = s%input(1)
   call require(s%find_input(port%name) == 1 .and. s%find_input('nobody') == 0, 'ports by name')
   found = s%input(99)
   call require(found%name == '' .and. found%extent == 0, 'no such port')
   port = s%output(1)
   allocate (wide(2*rows, 2*s%n_inputs), packed(s%n_inputs, rows), single(rows), inputs(s%n_inputs), outputs(s%n_outputs))
   allocate (first(rows, port%extent), again(rows, port%extent), row_first(port%extent, rows))

   ! values that real32 holds exactly; every second row, every second column
   do i = 1, s%n_inputs
      port = s%input(i)
      do k = 1, rows
         wide(2*k - 1, 2*i - 1) = real(real(port%lower + (port%upper - port%lower)*k/(rows + 1.0_real64), real32), real64)
      end do
      inputs(i) = locum_columns(wide(1::2, 2*i - 1))
   end do
   outputs(1) = locum_columns(first)
   call s%predict(rows, inputs, outputs, status)
   call require(status == 0, 'sections')
   single = real(wide(1::2, 1), real32)
   inputs(1) = locum_columns(single)
   outputs(1) = locum_columns(again)
   call s%predict(rows, inputs, outputs, status)
   call require(status == 0 .and. all(first == again), 'real32')
   inputs(1) = locum_columns(wide(1::2, 1:1))
   outputs(1) = locum_fields(row_first)
   call s%predict(rows, inputs, outputs, status)
   call require(status == 0 .and. all(first == transpose(row_first)), 'rows last')

   call s%predict(rows + 1, inputs, outputs, status)
   call require(status /= 0 .and. s%message /= '', 'too many rows')
   call s%predict(rows, inputs(1:1), outputs, status)
   call require(status /= 0 .or. s%n_inputs == 1, 'too few inputs')
   call s%roll(rows, 3, inputs, nobody, status)
   call require(status /= 0 .and. index(s%message, 'map') > 0, 'a map is not rolled out')
   call s%close()
   call s%predict(rows, inputs, outputs, status)
   call require(status /= 0, 'closed')
   print '(a)', 'views agree'
contains
   subroutine require(true, what)
      logical, intent(in) :: true
      character(*), intent(in) :: what
      if (true) return
      print '(4a)', 'failed: ', what, ' ', trim(s%message)
      stop 1
   end subroutine require
   subroutine nobody(step, stop)
      type(locum_step), intent(in) :: step
      logical, intent(inout) :: stop
      stop = step%lead > 0 .or. stop
   end subroutine nobody
end program views
