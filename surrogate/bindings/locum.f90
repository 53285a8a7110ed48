! SPDX-License-Identifier: BSD-3-Clause
! locum.f90 - surrogates inside Fortran 2008 codes: compile this file with yours, link liblocum (pkg-config --libs locum).
!
!     use locum
!     type(locum_surrogate) :: s
!     call s%open('model.safetensors', max_rows=64, status=status)       ! 0 = done; else s%message says why not
!     inputs = [locum_columns(viscosity), locum_columns(drag)]            ! in the order of s%input(1), s%input(2), ...
!     outputs(1) = locum_columns(energy)                                  ! an output without a view is not made
!     call s%predict(64, inputs, outputs, status, coverage=0.9d0, lower=lower, upper=upper, flag=flag)
!     call s%close()
!
! A view says where values lie; nothing is copied, so what it looks at needs the target attribute and must live as long.
!   locum_columns(x)   x(row) or x(row, value), real32 or real64, any section of an array (strides are kept)
!   locum_fields(u)    the last index is the row, the others are the port's in reverse: a port [x, y] is u(y, x, row),
!                      [x, y, component] is u(component, y, x, row); contiguous
! predict makes no allocation. One surrogate belongs to one thread at a time; a type(locum_surrogate) must not be copied.
! Left out: opening from memory, allocators of one's own, several contexts of one model (see locum/model.h).
module locum
   use, intrinsic :: iso_c_binding
   use, intrinsic :: iso_fortran_env, only: real32, real64
   implicit none
   private
   public :: locum_surrogate, locum_view, locum_port, locum_step, locum_columns, locum_fields, locum_frame_handler
   public :: LOCUM_FLAG_RANGE, LOCUM_FLAG_DISTANCE, LOCUM_FLAG_SPREAD, LOCUM_FLAG_NOT_FINITE, LOCUM_FLAG_RESIDUAL
   public :: LOCUM_STATUS_OK, LOCUM_STATUS_STOPPED

   integer(c_int32_t), parameter :: LOCUM_FLAG_RANGE = 1, LOCUM_FLAG_DISTANCE = 2, LOCUM_FLAG_SPREAD = 4, &
                                    LOCUM_FLAG_NOT_FINITE = 8, LOCUM_FLAG_RESIDUAL = 16
   integer(c_int), parameter :: LOCUM_STATUS_OK = 0, LOCUM_STATUS_STOPPED = 1
   integer(c_int), parameter :: FLOAT64 = 0, FLOAT32 = 1
   integer, parameter :: PORT_DIMS = 4

   ! where the values of one port lie; locum_buffer of model.h
   type, bind(C) :: locum_view
      type(c_ptr) :: data = c_null_ptr
      integer(c_int) :: type = FLOAT64
      integer(c_int64_t) :: row_stride = 0, stride = 0
   end type locum_view

   ! an input or output, numbers counted from 1
   type :: locum_port
      character(:), allocatable :: name, text, unit
      integer(c_int64_t), allocatable :: dims(:) ! as in C: the last one varies fastest
      integer(c_int64_t) :: extent = 0           ! values a row
      real(real64) :: lower = 0, upper = 0       ! range of the training data
   end type locum_port

   ! one step of a roll-out
   type :: locum_step
      integer(c_int64_t) :: lead = 0, rows = 0
      real(real64) :: time = 0
      type(c_ptr), private :: values = c_null_ptr, lower_values = c_null_ptr, upper_values = c_null_ptr
      integer(c_int32_t), pointer :: flag(:) => null() ! [rows], not associated without coverage
      integer(c_int64_t), pointer, private :: extent(:) => null()
   contains
      procedure :: value => step_value
      procedure :: lower => step_lower
      procedure :: upper => step_upper
   end type locum_step

   abstract interface
      subroutine locum_frame_handler(step, stop)
         import :: locum_step
         type(locum_step), intent(in) :: step
         logical, intent(inout) :: stop ! set it to end the roll-out
      end subroutine locum_frame_handler
   end interface

   type :: locum_surrogate
      integer :: n_inputs = 0, n_outputs = 0
      integer(c_int64_t) :: max_rows = 0, history = 1, leads = 1, n_calibration = 0
      real(real64) :: interval = 0 ! between the frames of a step model; 0 = a map
      character(len=512) :: message = ''
      type(c_ptr), private :: model = c_null_ptr, context = c_null_ptr
      integer(c_int8_t), pointer, private :: memory(:) => null()
   contains
      procedure :: open => surrogate_open
      procedure :: close => surrogate_close
      procedure :: input => surrogate_input
      procedure :: output => surrogate_output
      procedure :: find_input => surrogate_find_input
      procedure :: find_output => surrogate_find_output
      procedure :: metadata => surrogate_metadata
      procedure :: predict => surrogate_predict
      procedure :: roll => surrogate_roll
   end type locum_surrogate

   interface locum_columns
      module procedure columns_1_real32, columns_1_real64, columns_2_real32, columns_2_real64
   end interface locum_columns
   interface locum_fields
      module procedure fields_2_real32, fields_2_real64, fields_3_real32, fields_3_real64, &
         fields_4_real32, fields_4_real64
   end interface locum_fields

   ! structs of model.h
   type, bind(C) :: c_port
      type(c_ptr) :: name, text, unit
      integer(c_int) :: n_dims
      integer(c_int64_t) :: dims(PORT_DIMS), extent
      type(c_ptr) :: axis_name(PORT_DIMS), axis(PORT_DIMS)
      real(c_double) :: lower, upper
   end type c_port
   type, bind(C) :: c_trust
      real(c_double) :: coverage = 0
      type(c_ptr) :: lower = c_null_ptr, upper = c_null_ptr, flag = c_null_ptr, p_value = c_null_ptr
      integer(c_int64_t) :: lead = 0
   end type c_trust
   type, bind(C) :: c_roll_frame
      integer(c_int64_t) :: lead
      real(c_double) :: time
      type(c_ptr) :: values, lower, upper, flag
   end type c_roll_frame
   ! what the C callback hands on
   type :: handler_of
      procedure(locum_frame_handler), pointer, nopass :: handler => null()
      integer(c_int64_t) :: rows = 0
      integer(c_int64_t), pointer :: extent(:) => null()
   end type handler_of

   interface
      integer(c_int) function c_model_read(path, options, model, message, message_size) bind(C, name='locum_model_read')
         import
         character(kind=c_char), intent(in) :: path(*)
         type(c_ptr), value :: options
         type(c_ptr), intent(out) :: model
         character(kind=c_char), intent(inout) :: message(*)
         integer(c_size_t), value :: message_size
      end function c_model_read
      subroutine c_model_close(model) bind(C, name='locum_model_close')
         import
         type(c_ptr), value :: model
      end subroutine c_model_close
      integer(c_int) function c_n_inputs(model) bind(C, name='locum_model_n_inputs')
         import
         type(c_ptr), value :: model
      end function c_n_inputs
      integer(c_int) function c_n_outputs(model) bind(C, name='locum_model_n_outputs')
         import
         type(c_ptr), value :: model
      end function c_n_outputs
      type(c_ptr) function c_input(model, i) bind(C, name='locum_model_input')
         import
         type(c_ptr), value :: model
         integer(c_int), value :: i
      end function c_input
      type(c_ptr) function c_output(model, i) bind(C, name='locum_model_output')
         import
         type(c_ptr), value :: model
         integer(c_int), value :: i
      end function c_output
      type(c_ptr) function c_metadata(model, key) bind(C, name='locum_model_metadata')
         import
         type(c_ptr), value :: model
         character(kind=c_char), intent(in) :: key(*)
      end function c_metadata
      real(c_double) function c_interval(model) bind(C, name='locum_model_interval')
         import
         type(c_ptr), value :: model
      end function c_interval
      integer(c_int64_t) function c_history(model) bind(C, name='locum_model_history')
         import
         type(c_ptr), value :: model
      end function c_history
      integer(c_int64_t) function c_leads(model) bind(C, name='locum_model_leads')
         import
         type(c_ptr), value :: model
      end function c_leads
      integer(c_int64_t) function c_n_calibration(model) bind(C, name='locum_model_n_calibration')
         import
         type(c_ptr), value :: model
      end function c_n_calibration
      integer(c_size_t) function c_workspace(model, max_rows) bind(C, name='locum_model_workspace')
         import
         type(c_ptr), value :: model
         integer(c_int64_t), value :: max_rows
      end function c_workspace
      integer(c_int) function c_prepare(model, max_rows, memory, bytes, context) bind(C, name='locum_model_prepare')
         import
         type(c_ptr), value :: model, memory
         integer(c_int64_t), value :: max_rows
         integer(c_size_t), value :: bytes
         type(c_ptr), intent(out) :: context
      end function c_prepare
      integer(c_int) function c_eval(context, rows, inputs, outputs, trust) bind(C, name='locum_eval')
         import
         type(c_ptr), value :: context, trust
         integer(c_int64_t), value :: rows
         type(locum_view), intent(in) :: inputs(*), outputs(*)
      end function c_eval
      integer(c_int) function c_roll(context, rows, steps, inputs, coverage, frame, self) bind(C, name='locum_roll')
         import
         type(c_ptr), value :: context, self
         integer(c_int64_t), value :: rows, steps
         type(locum_view), intent(in) :: inputs(*)
         real(c_double), value :: coverage
         type(c_funptr), value :: frame
      end function c_roll
      type(c_ptr) function c_message() bind(C, name='locum_status_message')
         import
      end function c_message
      integer(c_size_t) function c_length(text) bind(C, name='strlen')
         import
         type(c_ptr), value :: text
      end function c_length
   end interface

contains

   ! ---- a surrogate ----

   subroutine surrogate_open(this, path, max_rows, status)
      class(locum_surrogate), intent(inout) :: this
      character(*), intent(in) :: path
      integer, intent(in) :: max_rows ! most rows of one call
      integer(c_int), intent(out) :: status
      character(kind=c_char) :: buffer(512)
      integer(c_size_t) :: bytes
      integer :: i

      call this%close()
      buffer = c_null_char
      status = c_model_read(c_text(path), c_null_ptr, this%model, buffer, size(buffer, kind=c_size_t))
      if (status /= LOCUM_STATUS_OK) then
         this%model = c_null_ptr
         this%message = ''
         do i = 1, size(buffer)
            if (buffer(i) == c_null_char) exit
            this%message(i:i) = buffer(i)
         end do
         return
      end if
      this%n_inputs = c_n_inputs(this%model)
      this%n_outputs = c_n_outputs(this%model)
      this%interval = c_interval(this%model)
      this%history = c_history(this%model)
      this%leads = c_leads(this%model)
      this%n_calibration = c_n_calibration(this%model)
      this%max_rows = max_rows
      bytes = c_workspace(this%model, this%max_rows)
      allocate (this%memory(max(bytes, 1_c_size_t)))
      status = c_prepare(this%model, this%max_rows, c_loc(this%memory), bytes, this%context)
      call keep_message(this, status)
      if (status /= LOCUM_STATUS_OK) call this%close()
   end subroutine surrogate_open

   ! harmless if it is not open
   subroutine surrogate_close(this)
      class(locum_surrogate), intent(inout) :: this

      if (c_associated(this%model)) call c_model_close(this%model)
      if (associated(this%memory)) deallocate (this%memory)
      this%memory => null()
      this%model = c_null_ptr
      this%context = c_null_ptr
      this%n_inputs = 0
      this%n_outputs = 0
   end subroutine surrogate_close

   function surrogate_input(this, i) result(port)
      class(locum_surrogate), intent(in) :: this
      integer, intent(in) :: i
      type(locum_port) :: port
      port = port_of(c_input(this%model, int(i - 1, c_int)))
   end function surrogate_input

   function surrogate_output(this, i) result(port)
      class(locum_surrogate), intent(in) :: this
      integer, intent(in) :: i
      type(locum_port) :: port
      port = port_of(c_output(this%model, int(i - 1, c_int)))
   end function surrogate_output

   ! number of the port of that name, 0 = none
   integer function surrogate_find_input(this, name) result(found)
      class(locum_surrogate), intent(in) :: this
      character(*), intent(in) :: name
      type(locum_port) :: port
      integer :: i
      found = 0
      do i = 1, this%n_inputs
         port = this%input(i)
         if (port%name == name) found = i
      end do
   end function surrogate_find_input

   integer function surrogate_find_output(this, name) result(found)
      class(locum_surrogate), intent(in) :: this
      character(*), intent(in) :: name
      type(locum_port) :: port
      integer :: i
      found = 0
      do i = 1, this%n_outputs
         port = this%output(i)
         if (port%name == name) found = i
      end do
   end function surrogate_find_output

   ! a text of the file ("task", "provenance"), '' = absent
   function surrogate_metadata(this, key) result(text)
      class(locum_surrogate), intent(in) :: this
      character(*), intent(in) :: key
      character(:), allocatable :: text
      text = f_text(c_metadata(this%model, c_text(key)))
   end function surrogate_metadata

   ! Values of `rows` samples; with coverage also intervals, flags (0 = nothing speaks against it) and p-values.
   subroutine surrogate_predict(this, rows, inputs, outputs, status, coverage, lower, upper, flag, p_value, lead)
      class(locum_surrogate), intent(inout) :: this
      integer, intent(in) :: rows
      type(locum_view), intent(in) :: inputs(:), outputs(:)
      integer(c_int), intent(out) :: status
      real(real64), intent(in), optional :: coverage
      type(locum_view), intent(in), contiguous, target, optional :: lower(:), upper(:)
      integer(c_int32_t), intent(inout), contiguous, target, optional :: flag(:)
      real(real64), intent(inout), contiguous, target, optional :: p_value(:)
      integer, intent(in), optional :: lead
      type(c_trust), target :: trust
      type(c_ptr) :: asked

      asked = c_null_ptr
      status = check(this, size(inputs), size(outputs))
      if (status == LOCUM_STATUS_OK .and. present(lower)) status = check(this, size(inputs), size(lower))
      if (status == LOCUM_STATUS_OK .and. present(upper)) status = check(this, size(inputs), size(upper))
      if (status /= LOCUM_STATUS_OK) return
      if (present(flag)) then
         if (size(flag) < rows) status = refuse(this, 'flag is smaller than rows')
      end if
      if (present(p_value)) then
         if (size(p_value) < rows) status = refuse(this, 'p_value is smaller than rows')
      end if
      if (status /= LOCUM_STATUS_OK) return
      if (present(coverage)) then
         trust%coverage = coverage
         if (present(lower)) trust%lower = c_loc(lower)
         if (present(upper)) trust%upper = c_loc(upper)
         if (present(flag)) trust%flag = c_loc(flag)
         if (present(p_value)) trust%p_value = c_loc(p_value)
         if (present(lead)) trust%lead = lead
         asked = c_loc(trust)
      end if
      status = c_eval(this%context, int(rows, c_int64_t), inputs, outputs, asked)
      call keep_message(this, status)
   end subroutine surrogate_predict

   ! A step model applied to its own answers; `handler` sees every step. coverage 0: values alone.
   subroutine surrogate_roll(this, rows, steps, inputs, handler, status, coverage)
      class(locum_surrogate), intent(inout) :: this
      integer, intent(in) :: rows, steps
      type(locum_view), intent(in) :: inputs(:)
      procedure(locum_frame_handler) :: handler
      integer(c_int), intent(out) :: status
      real(real64), intent(in), optional :: coverage
      type(handler_of), target :: self
      integer(c_int64_t), target :: extent(max(this%n_outputs, 1))
      type(locum_port) :: port
      real(c_double) :: how_sure
      integer :: i

      status = check(this, size(inputs), this%n_outputs)
      if (status /= LOCUM_STATUS_OK) return
      do i = 1, this%n_outputs
         port = this%output(i)
         extent(i) = port%extent
      end do
      self%handler => handler
      self%rows = rows
      self%extent => extent
      how_sure = 0
      if (present(coverage)) how_sure = coverage
      status = c_roll(this%context, self%rows, int(steps, c_int64_t), inputs, how_sure, c_funloc(hand_on), c_loc(self))
      call keep_message(this, status)
   end subroutine surrogate_roll

   integer(c_int) function hand_on(self, frame) bind(C)
      type(c_ptr), value :: self
      type(c_roll_frame), intent(in) :: frame
      type(handler_of), pointer :: to
      type(locum_step) :: step
      logical :: stop

      call c_f_pointer(self, to)
      step%lead = frame%lead
      step%rows = to%rows
      step%time = frame%time
      step%values = frame%values
      step%lower_values = frame%lower
      step%upper_values = frame%upper
      step%extent => to%extent
      if (c_associated(frame%flag)) call c_f_pointer(frame%flag, step%flag, [to%rows])
      stop = .false.
      call to%handler(step, stop)
      hand_on = merge(LOCUM_STATUS_STOPPED, LOCUM_STATUS_OK, stop)
   end function hand_on

   ! ---- a step of a roll-out: [extent, rows] of output i, lent until the handler returns; not associated if not asked for ----

   function step_value(this, i) result(values)
      class(locum_step), intent(in) :: this
      integer, intent(in) :: i
      real(real32), pointer :: values(:, :)
      values => step_array(this, this%values, i)
   end function step_value

   function step_lower(this, i) result(values)
      class(locum_step), intent(in) :: this
      integer, intent(in) :: i
      real(real32), pointer :: values(:, :)
      values => step_array(this, this%lower_values, i)
   end function step_lower

   function step_upper(this, i) result(values)
      class(locum_step), intent(in) :: this
      integer, intent(in) :: i
      real(real32), pointer :: values(:, :)
      values => step_array(this, this%upper_values, i)
   end function step_upper

   function step_array(step, list, i) result(values)
      class(locum_step), intent(in) :: step
      type(c_ptr), intent(in) :: list
      integer, intent(in) :: i
      real(real32), pointer :: values(:, :)
      type(c_ptr), pointer :: all(:)

      values => null()
      if (.not. c_associated(list)) return
      call c_f_pointer(list, all, [size(step%extent)])
      call c_f_pointer(all(i), values, [step%extent(i), step%rows])
   end function step_array

   ! ---- views ----

   ! first: the first value; row: that of the next row; value: the next one of the row; either is `first` where there is none
   function strided(type, bytes, first, row, value) result(view)
      integer(c_int), intent(in) :: type
      integer, intent(in) :: bytes ! of a number
      type(c_ptr), intent(in) :: first, row, value
      type(locum_view) :: view
      view%type = type
      view%data = first
      view%row_stride = stride_to(row)
      view%stride = stride_to(value)
   contains
      integer(c_int64_t) function stride_to(next)
         type(c_ptr), intent(in) :: next
         stride_to = (transfer(next, 0_c_intptr_t) - transfer(first, 0_c_intptr_t))/bytes
         if (stride_to == 0) stride_to = 1
      end function stride_to
   end function strided

   function columns_1_real64(x) result(view)
      real(real64), intent(in), target :: x(:)
      type(locum_view) :: view
      view%type = FLOAT64
      if (size(x) > 0) view = strided(FLOAT64, 8, c_loc(x(1)), c_loc(x(min(2, size(x)))), c_loc(x(1)))
   end function columns_1_real64

   function columns_2_real64(x) result(view)
      real(real64), intent(in), target :: x(:, :)
      type(locum_view) :: view
      view%type = FLOAT64
      if (size(x) > 0) view = strided(FLOAT64, 8, c_loc(x(1, 1)), c_loc(x(min(2, size(x, 1)), 1)), &
                                      c_loc(x(1, min(2, size(x, 2)))))
   end function columns_2_real64

   function columns_1_real32(x) result(view)
      real(real32), intent(in), target :: x(:)
      type(locum_view) :: view
      view%type = FLOAT32
      if (size(x) > 0) view = strided(FLOAT32, 4, c_loc(x(1)), c_loc(x(min(2, size(x)))), c_loc(x(1)))
   end function columns_1_real32

   function columns_2_real32(x) result(view)
      real(real32), intent(in), target :: x(:, :)
      type(locum_view) :: view
      view%type = FLOAT32
      if (size(x) > 0) view = strided(FLOAT32, 4, c_loc(x(1, 1)), c_loc(x(min(2, size(x, 1)), 1)), &
                                      c_loc(x(1, min(2, size(x, 2)))))
   end function columns_2_real32

   ! rows of n values, one behind the other; a section with gaps gives no view
   function packed(first, type, n, contiguous) result(view)
      type(c_ptr), intent(in) :: first
      integer(c_int), intent(in) :: type
      integer, intent(in) :: n
      logical, intent(in) :: contiguous
      type(locum_view) :: view
      view%type = type
      view%row_stride = n
      view%stride = 1
      if (contiguous) view%data = first
   end function packed

   function fields_2_real64(u) result(view)
      real(real64), intent(in), target :: u(:, :)
      type(locum_view) :: view
      view = packed(c_loc(u(1, 1)), FLOAT64, size(u, 1), is_contiguous(u))
   end function fields_2_real64

   function fields_2_real32(u) result(view)
      real(real32), intent(in), target :: u(:, :)
      type(locum_view) :: view
      view = packed(c_loc(u(1, 1)), FLOAT32, size(u, 1), is_contiguous(u))
   end function fields_2_real32

   function fields_3_real64(u) result(view)
      real(real64), intent(in), target :: u(:, :, :)
      type(locum_view) :: view
      view = packed(c_loc(u(1, 1, 1)), FLOAT64, size(u, 1)*size(u, 2), is_contiguous(u))
   end function fields_3_real64

   function fields_3_real32(u) result(view)
      real(real32), intent(in), target :: u(:, :, :)
      type(locum_view) :: view
      view = packed(c_loc(u(1, 1, 1)), FLOAT32, size(u, 1)*size(u, 2), is_contiguous(u))
   end function fields_3_real32

   function fields_4_real64(u) result(view)
      real(real64), intent(in), target :: u(:, :, :, :)
      type(locum_view) :: view
      view = packed(c_loc(u(1, 1, 1, 1)), FLOAT64, size(u, 1)*size(u, 2)*size(u, 3), is_contiguous(u))
   end function fields_4_real64

   function fields_4_real32(u) result(view)
      real(real32), intent(in), target :: u(:, :, :, :)
      type(locum_view) :: view
      view = packed(c_loc(u(1, 1, 1, 1)), FLOAT32, size(u, 1)*size(u, 2)*size(u, 3), is_contiguous(u))
   end function fields_4_real32

   ! ---- texts, messages, checks ----

   pure function c_text(text) result(out)
      character(*), intent(in) :: text
      character(kind=c_char) :: out(len_trim(text) + 1)
      integer :: i
      do i = 1, len_trim(text)
         out(i) = text(i:i)
      end do
      out(len_trim(text) + 1) = c_null_char
   end function c_text

   function f_text(text) result(out)
      type(c_ptr), intent(in) :: text
      character(:), allocatable :: out
      character(kind=c_char), pointer :: letters(:)
      integer :: i, n

      n = 0
      if (c_associated(text)) n = int(c_length(text))
      allocate (character(n) :: out)
      if (n == 0) return
      call c_f_pointer(text, letters, [n])
      do i = 1, n
         out(i:i) = letters(i)
      end do
   end function f_text

   function port_of(from) result(port)
      type(c_ptr), intent(in) :: from
      type(locum_port) :: port
      type(c_port), pointer :: c

      port%name = ''
      port%text = ''
      port%unit = ''
      allocate (port%dims(0))
      if (.not. c_associated(from)) return
      call c_f_pointer(from, c)
      port%name = f_text(c%name)
      port%text = f_text(c%text)
      port%unit = f_text(c%unit)
      port%dims = c%dims(1:c%n_dims)
      port%extent = c%extent
      port%lower = c%lower
      port%upper = c%upper
   end function port_of

   subroutine keep_message(this, status)
      class(locum_surrogate), intent(inout) :: this
      integer(c_int), intent(in) :: status
      this%message = ''
      if (status /= LOCUM_STATUS_OK) this%message = f_text(c_message())
   end subroutine keep_message

   integer(c_int) function refuse(this, message)
      class(locum_surrogate), intent(inout) :: this
      character(*), intent(in) :: message
      refuse = 5 ! LOCUM_ARG
      this%message = message
   end function refuse

   ! C reads as many views as the model has ports
   integer(c_int) function check(this, n_inputs, n_outputs)
      class(locum_surrogate), intent(inout) :: this
      integer, intent(in) :: n_inputs, n_outputs
      check = LOCUM_STATUS_OK
      if (.not. c_associated(this%context)) then
         check = refuse(this, 'the surrogate is not open')
      else if (n_inputs /= this%n_inputs) then
         check = refuse(this, 'the number of inputs is not that of the model')
      else if (n_outputs /= this%n_outputs) then
         check = refuse(this, 'the number of outputs is not that of the model')
      end if
   end function check
end module locum
