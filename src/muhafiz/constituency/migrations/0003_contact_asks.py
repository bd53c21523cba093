import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("constituency", "0002_regions_and_requests"),
    ]

    operations = [
        migrations.CreateModel(
            name="ContactAsk",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.IntegerField()),
                ("token_digest", models.CharField(max_length=64, unique=True)),
                ("asked_at", models.DateTimeField()),
                ("asked_by", models.CharField(max_length=128)),
                ("answered_at", models.DateTimeField(null=True)),
                ("right", models.BooleanField(null=True)),
                ("words", models.CharField(blank=True, max_length=500)),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="asks",
                        to="constituency.contact",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["contact", "asked_at"], name="contact_ask_latest")
                ],
            },
        ),
    ]
