//! How much of a list is asked for at once. The API server counts objects; memory is taken by bytes.

/// Most objects in one answer.
const OBJECTS: usize = 500;
/// About how many bytes an answer should have.
const BYTES: usize = 4 << 20;

/// Most objects in the next answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageSize(usize);

impl Default for PageSize {
    /// Few, as long as nobody knows how long they are.
    fn default() -> Self {
        Self(16)
    }
}

impl PageSize {
    pub(super) fn objects(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }

    /// An answer had so many objects and bytes. What follows is likely to be like it, but need not be.
    pub(super) fn learn(&mut self, objects: usize, bytes: usize) {
        if let Some(mean) = bytes.checked_div(objects) {
            self.0 = (BYTES / mean.max(1)).clamp(1, OBJECTS.min(2 * self.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_few_megabytes_and_at_most_twice_as_many_objects_as_the_one_before() {
        let mut size = PageSize::default();
        for (objects, bytes, expected) in
            [(0, 100, 16), (16, 16 << 10, 32), (32, 32 << 18, 16), (16, 16 << 23, 1), (1, 3 << 10, 2)]
        {
            size.learn(objects, bytes);
            assert_eq!(size.objects(), expected, "{objects} objects have {bytes} bytes");
        }
    }
}
