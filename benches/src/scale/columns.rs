//! The results as a table.

/// The results, by the number of incidents.
#[derive(Debug, Default)]
pub(super) struct Columns {
    /// The description of these incidents.
    pub(super) what: &'static str,
    pub(super) sizes: Vec<u64>,
    pub(super) rows: Vec<(String, Vec<f64>, usize)>,
}

impl Columns {
    pub(super) fn add(&mut self, name: impl Into<String>, digits: usize, figure: f64) {
        let name = name.into();
        eprintln!("  {name}: {figure:.digits$}");
        match self.rows.iter_mut().find(|row| row.0 == name) {
            Some(row) => row.1.push(figure),
            None => self.rows.push((name, vec![figure], digits)),
        }
    }

    pub(super) fn print(&self) {
        let sizes: Vec<_> = self.sizes.iter().map(|size| format!(" {size} {} |", self.what)).collect();
        println!("| |{} last to first |", sizes.concat());
        println!("|---|{}---:|", "---:|".repeat(sizes.len()));
        for (name, figures, digits) in &self.rows {
            let cells: Vec<_> = figures.iter().map(|f| format!(" {f:.digits$} |")).collect();
            let ratio = figures.last().zip(figures.first()).map_or(1.0, |(last, first)| last / first);
            println!("| {name} |{} {ratio:.2} × |", cells.concat());
        }
    }
}
