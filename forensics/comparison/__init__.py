"""What one tokenizer, checkpoint or scan has that another lacks, and who descends from whom."""
