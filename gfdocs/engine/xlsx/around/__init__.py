"""What stands around the rows and follows them: views, ranges, drawings, the workbook part, properties."""
