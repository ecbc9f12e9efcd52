//! One source for each kernel, compiled for AVX2 and for whatever the program is built for; the better one that the
//! processor has is taken when it is called. Loops are written so that the compiler turns them into vectors; that both
//! give the same is tested ([`portable`]).

/// Defines a function whose body is compiled twice:
///
/// ```ignore
/// vectorised! {
///     /// What it does.
///     pub fn invert(samples: &mut [u8]) { samples.iter_mut().for_each(|sample| *sample = !*sample); }
/// }
/// ```
///
/// What the body calls is only compiled along where it is `#[inline(always)]`. No generics, no `self`.
macro_rules! vectorised {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $out:ty)? $body:block) => {
        $(#[$meta])*
        #[allow(unsafe_code, reason = "the processor is asked before its instructions are used")]
        $vis fn $name($($arg: $type),*) $(-> $out)? {
            #[inline(always)]
            fn body($($arg: $type),*) $(-> $out)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn avx2($($arg: $type),*) $(-> $out)? {
                    body($($arg),*)
                }
                if $crate::kernels::isa::has_avx2() {
                    // SAFETY: it has the instructions.
                    return unsafe { avx2($($arg),*) };
                }
            }
            body($($arg),*)
        }
    };
}
pub(crate) use vectorised;

/// Whether kernels may use AVX2.
#[cfg(target_arch = "x86_64")]
pub(crate) fn has_avx2() -> bool {
    #[cfg(test)]
    if PORTABLE.get() {
        return false;
    }
    is_x86_feature_detected!("avx2")
}

#[cfg(test)]
std::thread_local! {
    static PORTABLE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Runs something with the portable kernels, on this thread.
#[cfg(test)]
pub(crate) fn portable<T>(run: impl FnOnce() -> T) -> T {
    PORTABLE.set(true);
    let result = run();
    PORTABLE.set(false);
    result
}
