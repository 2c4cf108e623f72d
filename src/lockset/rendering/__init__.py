"""Reports, graphs and comparisons as HTML, Markdown, SVG and JSON: values in, text out."""
