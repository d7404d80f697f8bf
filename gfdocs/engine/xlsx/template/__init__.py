"""What a workbook template is: its parts read, its tags parsed, every formula split, once for all documents."""
