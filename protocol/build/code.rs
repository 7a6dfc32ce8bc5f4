//! A text of Rust that grows line by line and keeps its indentation.

#[derive(Default)]
pub struct Code {
    text: String,
    depth: usize,
}

impl Code {
    pub fn line(&mut self, line: impl AsRef<str>) {
        let line = line.as_ref();
        if !line.is_empty() {
            self.text.extend(std::iter::repeat_n("    ", self.depth));
            self.text.push_str(line);
        }
        self.text.push('\n');
    }

    /// `opening {`, what `body` writes, `}`.
    pub fn block(&mut self, opening: impl AsRef<str>, body: impl FnOnce(&mut Code)) {
        self.line(format!("{} {{", opening.as_ref()));
        self.depth += 1;
        body(self);
        self.depth -= 1;
        self.line("}");
    }

    pub fn finish(self) -> String {
        self.text
    }
}
