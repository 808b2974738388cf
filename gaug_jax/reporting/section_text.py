"""A section of a report as plain text, for a terminal."""

from gaug_jax.reporting.page import Section, Table


def section_text(section: Section) -> str:
    """Returns a section's paragraphs and tables as lines."""
    return "\n".join([*section.paragraphs, *(_table_text(table) for table in section.tables)])


def _table_text(table: Table) -> str:
    """Returns a table as lines: words to the left, numbers to the right."""
    header, rows = table.header, table.rows
    cells = [list(header), *map(list, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    number = [all(row[column].isdecimal() for row in rows) for column in range(len(header))]
    lines = [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, number, strict=True)
        ).rstrip()
        for row in cells
    ]
    return "\n".join([f"{table.caption}:", *(f"  {line}" for line in lines)])
