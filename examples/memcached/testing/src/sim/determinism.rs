//! What a simulation takes from the operating system: random numbers, clocks and the number of the process, which come
//! from the seed on threads that simulate, and from the kernel on all others.
//!
//! A hasher's keys, the jitter of a library and the time of day of `std` are no arguments of the operator's. So the C
//! library's functions that they come from are defined here once more, and the linker prefers what an executable
//! defines to what a shared library does.

use std::cell::Cell;

use super::draw::Draw;

/// Where it works; elsewhere a history could not be replayed.
pub(super) const IS_SUPPORTED: bool = cfg!(all(target_os = "linux", target_env = "gnu"));

/// When every history begins, in seconds since 1970: 2030.
pub(super) const EPOCH: u64 = 1_893_456_000;

thread_local! {
    // Neither is made or dropped at some time, so that they can be asked at any.
    static RANDOM: Cell<Option<u64>> = const { Cell::new(None) };
    static NOW: Cell<u64> = const { Cell::new(0) };
}

/// From now on this thread simulates.
pub(super) fn enter(seed: u64) {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    interposed::link();
    RANDOM.set(Some(seed));
    NOW.set(0);
}

/// It is so many nanoseconds after the beginning.
pub(super) fn set_now(nanoseconds: u64) {
    NOW.set(nanoseconds);
}

/// How long the history of this thread has been going on.
pub(super) fn elapsed() -> std::time::Duration {
    std::time::Duration::from_nanos(NOW.get())
}

/// The next random number, on a thread that simulates.
#[cfg_attr(not(all(target_os = "linux", target_env = "gnu")), allow(dead_code))]
fn random() -> Option<u64> {
    let state = RANDOM.try_with(Cell::get).ok().flatten()?;
    let mut draw = Draw::from_state(state);
    let number = draw.number();
    RANDOM.set(Some(draw.state()));
    Some(number)
}

/// The clock, on a thread that simulates.
#[cfg_attr(not(all(target_os = "linux", target_env = "gnu")), allow(dead_code))]
fn now() -> Option<u64> {
    RANDOM.try_with(Cell::get).ok().flatten()?;
    NOW.try_with(Cell::get).ok()
}

/// The functions of the C library.
///
/// # Safety
/// Each has the signature and the contract of the C library's of the same name, as its manual page has them. On a thread
/// that does not simulate, which is every one unless [`enter`] was called on it, each asks the kernel by the system call
/// of the same name with the very arguments that it was given, so that callers cannot tell the difference, except that
/// the clock is read without the vDSO's short cut. On a thread that simulates, they write to memory that the caller has
/// promised to be writable: `buffer` for `length` bytes, `time` for one `timespec`. They allocate nothing, take no lock
/// and cannot panic, so they may be called from signal handlers and while a thread begins or ends.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
mod interposed {
    use std::ffi::{c_int, c_long, c_uint, c_void};

    use libc::{clockid_t, pid_t, size_t, ssize_t, timespec};

    /// Makes the linker take this module, from which nobody else takes anything.
    pub(super) fn link() {
        std::hint::black_box((getrandom as *const (), clock_gettime as *const (), getpid as *const ()));
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn getrandom(buffer: *mut c_void, length: size_t, flags: c_uint) -> ssize_t {
        let mut written = 0;
        while written < length {
            let Some(number) = super::random() else {
                // SAFETY: the caller's own arguments, as the kernel wants them.
                let written = unsafe { libc::syscall(libc::SYS_getrandom, buffer, length, flags) };
                return ssize_t::try_from(written).unwrap_or(-1);
            };
            let bytes = number.to_ne_bytes();
            let count = bytes.len().min(length - written);
            // SAFETY: `written + count` is at most `length`, for which the caller has promised that `buffer` is writable.
            unsafe { buffer.cast::<u8>().add(written).copy_from_nonoverlapping(bytes.as_ptr(), count) };
            written += count;
        }
        ssize_t::try_from(written).unwrap_or(ssize_t::MAX)
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn clock_gettime(clock: clockid_t, time: *mut timespec) -> c_int {
        let Some(now) = super::now() else {
            // SAFETY: the caller's own arguments, as the kernel wants them.
            let result = unsafe { libc::syscall(libc::SYS_clock_gettime, clock, time) };
            return c_int::try_from(result).unwrap_or(-1);
        };
        // Clocks that measure begin anywhere; let them do so at an hour that subtractions do not get below.
        let now = std::time::Duration::from_nanos(now);
        let seconds = super::EPOCH + now.as_secs();
        // SAFETY: the caller has promised that `time` is writable.
        unsafe {
            (*time).tv_sec = seconds.cast_signed() as libc::time_t;
            (*time).tv_nsec = c_long::from(now.subsec_nanos().cast_signed());
        }
        0
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn getpid() -> pid_t {
        if super::now().is_some() {
            return 1;
        }
        // SAFETY: it has no arguments.
        let pid = unsafe { libc::syscall(libc::SYS_getpid) };
        pid_t::try_from(pid).unwrap_or(-1)
    }
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;
    use std::hash::{BuildHasher as _, RandomState};
    use std::thread;
    use std::time::{Duration, Instant, SystemTime};

    fn simulated(seed: u64) -> (u64, SystemTime, u32, Duration) {
        let asked = thread::spawn(move || {
            enter(seed);
            let begun = Instant::now();
            set_now(5_000_000_000);
            let keys = RandomState::new().hash_one(0);
            (keys, SystemTime::now(), std::process::id(), begun.elapsed())
        });
        asked.join().expect("no panic")
    }

    #[test]
    fn a_thread_that_simulates_has_all_of_its_seed_and_others_nothing() {
        let expected = SystemTime::UNIX_EPOCH + Duration::from_secs(EPOCH + 5);
        let (first, second, other) = (simulated(1), simulated(1), simulated(2));
        assert_eq!(first, second);
        assert_ne!(first.0, other.0);
        assert_eq!((first.1, first.2, first.3), (expected, 1, Duration::from_secs(5)));
        let keys = || thread::spawn(|| RandomState::new().hash_one(0)).join().expect("no panic");
        assert_ne!(keys(), keys(), "the operating system's");
        let begun = Instant::now();
        thread::sleep(Duration::from_millis(5));
        assert!(begun.elapsed() >= Duration::from_millis(5));
        assert!(std::process::id() > 1 && SystemTime::now() != expected);
    }
}
