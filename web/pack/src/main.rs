//! What the page calls to unpack itself: `room` for what is packed, and `unpack`. As small as it gets, since the page holds it next
//! to what it unpacks: without the standard library, and with memory that is given out and never taken back.

#![cfg_attr(target_arch = "wasm32", no_std, no_main)]

#[cfg(target_arch = "wasm32")]
// To be called by JavaScript, to be the allocator and to read what JavaScript wrote is all beyond what the compiler can check.
#[allow(unsafe_code)]
mod page {
    extern crate alloc;

    use alloc::{boxed::Box, vec, vec::Vec};
    use core::{
        alloc::{GlobalAlloc, Layout},
        arch::wasm32,
        panic::PanicInfo,
        ptr, slice,
        sync::atomic::{AtomicUsize, Ordering::Relaxed},
    };

    /// Where to put so many packed bytes.
    #[unsafe(no_mangle)]
    extern "C" fn room(length: usize) -> *mut u8 {
        Box::leak(vec![0; length].into_boxed_slice()).as_mut_ptr()
    }

    /// Unpacks what was put into such a room. Gives a list: how many pieces there are, and of each where it is and how long; or
    /// nothing, if what was packed is damaged.
    ///
    /// # Safety
    /// `packed` is what `room` gave for this `length`.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn unpack(packed: *const u8, length: usize) -> *const usize {
        // SAFETY: it is as long, as the caller vouches, and its bytes are set, if only to 0.
        let packed = unsafe { slice::from_raw_parts(packed, length) };
        let Some(pieces) = chainwalk_pack::unpack(packed) else { return ptr::null() };
        let mut list = vec![pieces.len()];
        for piece in pieces {
            let piece: &[u8] = Vec::leak(piece);
            list.extend([piece.as_ptr() as usize, piece.len()]);
        }
        Vec::leak(list).as_ptr()
    }

    struct Memory {
        next: AtomicUsize,
        end: AtomicUsize,
    }

    #[global_allocator]
    static MEMORY: Memory = Memory { next: AtomicUsize::new(0), end: AtomicUsize::new(0) };

    const PAGE: usize = 1 << 16;

    // SAFETY: what is given out lies in memory that was just added for it, is aligned, and is given out once.
    unsafe impl GlobalAlloc for Memory {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            let start = self.next.load(Relaxed).next_multiple_of(layout.align());
            if start + layout.size() <= self.end.load(Relaxed) {
                self.next.store(start + layout.size(), Relaxed);
                return start as *mut u8;
            }
            // A page begins at a multiple of all alignments there are.
            let pages = layout.size().div_ceil(PAGE);
            let before = wasm32::memory_grow(0, pages);
            if before == usize::MAX {
                return ptr::null_mut();
            }
            self.next.store(before * PAGE + layout.size(), Relaxed);
            self.end.store((before + pages) * PAGE, Relaxed);
            (before * PAGE) as *mut u8
        }

        unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
            // SAFETY: as of the caller; and memory that was never given out is 0.
            unsafe { self.alloc(layout) }
        }

        unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
    }

    #[panic_handler]
    fn stop(_: &PanicInfo) -> ! {
        wasm32::unreachable()
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {}
