"""What a page shows, as a file: CSV for programs and people, Excel, PDF."""
